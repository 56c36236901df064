"""Which requests a cell sends: prepared once, from minted credentials, every virtual user with one of its own."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apps.contract.credentials import Headers, load, wire_bytes
from apps.contract.endpoints import ENDPOINTS, SAFE_METHODS, Caller, names_caller, to_json, whoami_body
from apps.contract.registry import Carrier, Strategy
from authbench.working_set import PREPARED, Extent

NEW_ORDER = {"item": "authbench load", "quantity": 1}


@dataclass(frozen=True, slots=True)
class Request:
    """One prepared request, and how to tell a right answer; one line of the generator's request file."""

    method: str
    path: str
    headers: Headers
    body: str | None
    status: int
    exact: str | None  # the whole body of a right answer, where it is known beforehand
    contains: str | None  # bytes that stand in every right answer: who the server says the caller is
    rolls: str | None = None  # the one-time token among the headers, which every answer replaces


def requests_of(
    minted: Sequence[Mapping[str, Any]],
    strategy: Strategy,
    url: str,
    shares: Mapping[str, int],
    seed: int,
    extent: Extent | None = None,
) -> Iterator[Request]:
    """Requests that hold the endpoints in exactly the given shares, in a seeded order, to the strategy's origin `url`.

    `extent`: how many, of how many of the minted users; None: PREPARED, of all. The order of endpoints and users is the
    same for every strategy, since it depends on the seed alone.
    """
    extent = extent or Extent(PREPARED, len(minted))
    # TLS ends at the load balancer in production, and replicas are told so: a browser would name this origin.
    page = f"https://{urlsplit(url).netloc}"
    order = random.Random(seed)  # noqa: S311 - an experiment's order, not a secret
    total = sum(shares.values())
    endpoints = [name for name, share in shares.items() for _ in range(share)]
    sequence = [endpoints[i % total] for i in range(extent.requests)]
    order.shuffle(sequence)
    users = order.sample(range(len(minted)), k=len(minted))[: extent.users]
    for i, name in enumerate(sequence):
        yield _request(minted[users[i % len(users)]], strategy, page, name)


def write_requests(path: Path, requests: Iterator[Request]) -> None:
    """Writes the request file, readable by its owner only: it holds credentials."""
    path.touch(mode=0o600)
    path.write_text("".join(json.dumps(asdict(request)) + "\n" for request in requests), encoding="utf-8")


def credential_bytes(minted: Sequence[Mapping[str, Any]], carrier: Carrier) -> float:
    """Mean bytes that the credential adds to a request."""
    return sum(wire_bytes(load(carrier, row["credential"])) for row in minted) / len(minted)


def _request(row: Mapping[str, Any], strategy: Strategy, page: str, name: str) -> Request:
    endpoint = ENDPOINTS[name]
    caller = Caller(row["id"], row["username"], tuple(row["permissions"]))
    headers = load(strategy.carrier, row["credential"]).attach(None if endpoint.method in SAFE_METHODS else page)
    body = None
    if endpoint.method == "POST":
        headers = (*headers, ("Content-Type", "application/json"))
        body = to_json(NEW_ORDER).decode()
    return Request(
        method=endpoint.method,
        path=endpoint.path,
        headers=headers,
        body=body,
        status=endpoint.status,
        exact=whoami_body(caller).decode() if name == "whoami" else None,
        contains=names_caller(caller.username).decode() if endpoint.authenticated else None,
        rolls=row["credential"]["access_token"] if strategy.one_time else None,
    )
