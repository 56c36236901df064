"""Requests prepared once: the bytes to send, and how a right answer looks.

A row with `rolls` holds a one-time token: its bytes are put together when it is sent, from the token that the user's
last answer gave. All rows of one user follow one chain, in whatever file they stand, for the life of the process.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from loadtests.plan import PlanError


@dataclass(slots=True)
class Chain:
    """A user's one-time tokens: the one that is good now, and whether it is on its way."""

    token: bytes
    in_flight: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Every chain of this process, by its first token."""

    begun: dict[bytes, Chain] = field(default_factory=dict, repr=False)

    def of(self, first: bytes) -> Chain:
        """The chain that began with this token."""
        return self.begun.setdefault(first, Chain(first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Which request it is, and how a right answer looks."""

    number: int  # place in the cycle
    name: str  # what Locust's statistics call it: the path without its query
    method: str
    status: int
    exact: bytes | None  # the whole body of a right answer
    contains: bytes | None  # bytes that stand in every right answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Expected):
    """One request as it goes over the wire."""

    rolls: Literal[False] = False
    wire: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling(Expected):
    """One request whose token every answer replaces."""

    rolls: Literal[True] = True
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    chain: Chain = field(repr=False)

    @property
    def wire(self) -> bytes:
        """The request with the token that is good now."""
        return self.before + self.chain.token + self.after

    def ended(self, following: bytes) -> None:
        """Its answer has come, with the token to use from now on (empty: none), or will not come."""
        self.chain.in_flight = False
        if following:
            self.chain.token = following


Request = Prepared | Rolling


def read_requests(path: Path, host: str, chains: Chains) -> Sequence[Request]:
    """All requests of a JSON-lines file, in its order. Raises PlanError where it cannot be read or is empty."""
    try:
        written = path.stat()
    except OSError as error:
        raise PlanError(f"requests {path}: {error.strerror}") from error
    return _read_once(path, host, chains, (written.st_mtime_ns, written.st_size, written.st_ino))


@lru_cache(maxsize=64)
def _read_once(
    path: Path,
    host: str,
    chains: Chains,
    version: tuple[int, ...],  # noqa: ARG001 - part of the key
) -> Sequence[Request]:
    """A file of thousands of requests is parsed once, not before every window."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"requests {path}: {error}") from error
    requests = [
        prepare(number, _row(path, at, line), host, chains)
        for number, (at, line) in enumerate((at, line) for at, line in enumerate(lines, start=1) if line.strip())
    ]
    if not requests:
        raise PlanError(f"requests {path}: no request in it")
    return requests


def prepare(number: int, row: Mapping[str, Any], host: str, chains: Chains | None = None) -> Request:
    """The bytes of one request. Raises PlanError where a key is missing or a value cannot be sent.

    `chains`: where a row with `rolls` finds its user's; None: it begins one that nobody shares.
    """
    try:
        method, path, body = str(row["method"]), str(row["path"]), row.get("body")
        headers = [(str(name), str(value)) for name, value in row.get("headers", ())]
        exact, contains, rolls = row.get("exact"), row.get("contains"), row.get("rolls")
        sent = wire(method, path, host, headers, None if body is None else str(body).encode())
        answer: dict[str, Any] = {
            "number": number,
            "name": path.partition("?")[0],
            "method": method,
            "status": int(row.get("status", 200)),
            "exact": None if exact is None else str(exact).encode(),
            "contains": None if contains is None else str(contains).encode(),
        }
        if rolls is None:
            return Prepared(**answer, wire=sent)
        before, after = _around(sent, str(rolls).encode())
        return Rolling(**answer, before=before, after=after, chain=(chains or Chains()).of(str(rolls).encode()))
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(f"request {number + 1}: {type(error).__name__}: {error}") from error


def wire(method: str, path: str, host: str, headers: Iterable[Sequence[str]], body: bytes | None) -> bytes:
    """An HTTP/1.1 request that keeps its connection. Raises ValueError for a line break in any part."""
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {path} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if "content-length" not in given and (body is not None or method in {"POST", "PUT", "PATCH"}):
        lines.append(f"Content-Length: {len(body or b'')}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in the request's head")
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + (body or b"")


def _around(sent: bytes, token: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the token. Raises ValueError, without the token, where it is not there once."""
    before, found, after = sent.partition(token)
    if not token or not found or token in after:
        raise ValueError("rolls: not a text that stands in the request once")
    return before, after


def _row(path: Path, at: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise PlanError(f"requests {path}:{at}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise PlanError(f"requests {path}:{at}: not an object")
    return row
