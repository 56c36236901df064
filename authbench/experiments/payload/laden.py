"""Logins of one strategy that hold a payload of one size, minted by the strategy's own code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from apps.contract.credentials import Cookies, Credential, Headers, load, wire_bytes
from apps.contract.endpoints import Caller, whoami_body
from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.experiments.payload.stored import Stored, stored
from authbench.working_set import Extent
from authbench.workload import credential_bytes, requests_of, write_requests

VARIABLE = "AUTHBENCH_PAYLOAD_BYTES"  # apps/strategies/_payload.py


@dataclass(frozen=True, slots=True)
class Laden:
    """What is sent, and how large it is. Each user stands in the request file once."""

    strategy: Strategy
    payload_bytes: int
    users: int
    requests: Path = field(repr=False)
    headers: Headers = field(repr=False)  # of the longest credential: if it passes, all do
    body: bytes  # the right answer to it
    credential_bytes: float  # mean
    header_bytes: int
    cookie_bytes: int | None
    stored: Stored


def mint(
    stack: EmbeddedStack, strategies: Sequence[Strategy], payload_bytes: int, users: int, seed: int
) -> dict[str, Laden]:
    """Strategy -> its logins with that payload. Raises StackError where minting fails or a store has lost one."""
    before = [stack.variants[strategy.name] for strategy in strategies]
    try:
        for variant in before:
            stack.swap(replace(variant, environment={**variant.environment, VARIABLE: str(payload_bytes)}))
        files = stack.mint_all(strategies, users + 1)  # the last one is set aside: see `Minted`
    finally:
        for variant in before:
            stack.swap(variant)
    minted = {strategy.name: Minted.read(files[strategy.name]).rows for strategy in strategies}
    return {each.name: _laden(stack, each, payload_bytes, minted[each.name], seed) for each in strategies}


def cookie_bytes(credential: Credential) -> int | None:
    """Name and value of the longest cookie, as RFC 6265bis adds them up; None where the credential is no cookie."""
    if not isinstance(credential, Cookies):
        return None
    return max((len(name) + len(value) for name, value in credential.jar), default=0)


def longest(strategy: Strategy, rows: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], Credential]:
    """The minted row whose credential is the longest."""
    loaded = [(row, load(strategy.carrier, row["credential"])) for row in rows]
    return max(loaded, key=lambda each: wire_bytes(each[1]))


def _laden(
    stack: EmbeddedStack, strategy: Strategy, payload_bytes: int, rows: Sequence[Mapping[str, Any]], seed: int
) -> Laden:
    path = stack.folder / f"payload-{strategy.name}-{payload_bytes}.jsonl"
    extent = Extent(len(rows), len(rows))
    write_requests(path, requests_of(rows, strategy, stack.url(strategy.name), {"whoami": 1}, seed, extent))
    row, credential = longest(strategy, rows)
    return Laden(
        strategy=strategy,
        payload_bytes=payload_bytes,
        users=len(rows),
        requests=path,
        headers=credential.attach(),
        body=whoami_body(Caller(row["id"], row["username"], tuple(row["permissions"]))),
        credential_bytes=credential_bytes(rows, strategy.carrier),
        header_bytes=wire_bytes(credential),
        cookie_bytes=cookie_bytes(credential),
        stored=stored(stack, strategy, rows),
    )
