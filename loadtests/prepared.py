"""Requests prepared once: the bytes to send, and how a right answer looks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from loadtests.plan import PlanError


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request as it goes over the wire."""

    number: int  # place in the cycle
    name: str  # what Locust's statistics call it: the path without its query
    method: str
    wire: bytes
    status: int
    exact: bytes | None  # the whole body of a right answer
    contains: bytes | None  # bytes that stand in every right answer


def read_requests(path: Path, host: str) -> Sequence[Prepared]:
    """All requests of a JSON-lines file, in its order. Raises PlanError where it cannot be read or is empty."""
    try:
        written = path.stat()
    except OSError as error:
        raise PlanError(f"requests {path}: {error.strerror}") from error
    return _read_once(path, host, (written.st_mtime_ns, written.st_size, written.st_ino))


@lru_cache(maxsize=64)
def _read_once(path: Path, host: str, version: tuple[int, ...]) -> Sequence[Prepared]:  # noqa: ARG001 - part of the key
    """A file of thousands of requests is parsed once, not before every window."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"requests {path}: {error}") from error
    requests = [
        prepare(number, _row(path, at, line), host)
        for number, (at, line) in enumerate((at, line) for at, line in enumerate(lines, start=1) if line.strip())
    ]
    if not requests:
        raise PlanError(f"requests {path}: no request in it")
    return requests


def prepare(number: int, row: Mapping[str, Any], host: str) -> Prepared:
    """The bytes of one request. Raises PlanError where a key is missing or a value cannot be sent."""
    try:
        method, path, body = str(row["method"]), str(row["path"]), row.get("body")
        headers = [(str(name), str(value)) for name, value in row.get("headers", ())]
        exact, contains = row.get("exact"), row.get("contains")
        return Prepared(
            number=number,
            name=path.partition("?")[0],
            method=method,
            wire=wire(method, path, host, headers, None if body is None else str(body).encode()),
            status=int(row.get("status", 200)),
            exact=None if exact is None else str(exact).encode(),
            contains=None if contains is None else str(contains).encode(),
        )
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


def _row(path: Path, at: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise PlanError(f"requests {path}:{at}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise PlanError(f"requests {path}:{at}: not an object")
    return row
