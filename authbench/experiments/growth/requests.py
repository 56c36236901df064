"""Request files of this experiment: each user's own login, or the password that begins one."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apps.contract.credentials import load
from apps.contract.endpoints import ENDPOINTS, names_caller, to_json
from apps.contract.registry import Strategy
from authbench.working_set import Extent
from authbench.workload import Request, requests_of, write_requests

Row = Mapping[str, Any]
JSON = ("Content-Type", "application/json")


def endpoint_of(strategy: Strategy, row: Row) -> str:
    """The one that reads what grows: whoami, or, where that asks no store and logins can be renewed, refresh."""
    whoami = strategy.operations["whoami"]
    asks = whoami.sql or whoami.cache or whoami.auth
    return "whoami" if asks or load(strategy.carrier, row["credential"]).renewal() is None else "refresh"


def write_whoami(path: Path, rows: Sequence[Row], strategy: Strategy, url: str, seed: int) -> None:
    """Each user's once, in a seeded order; the generator goes round."""
    extent = Extent(len(rows), len(rows))
    write_requests(path, requests_of(rows, strategy, url, {"whoami": 1}, seed, extent))


def write_refreshes(path: Path, rows: Sequence[Row], strategy: Strategy, url: str, seed: int) -> None:
    """Each user's once, in a seeded order. Each is good once: the generator must not go round."""
    order = random.Random(seed)  # noqa: S311 - an experiment's order, not a secret
    page = f"https://{urlsplit(url).netloc}"
    write_requests(path, iter([_refresh(row, strategy, page) for row in order.sample(rows, k=len(rows))]))


def write_logins(path: Path, rows: Iterable[Row], password: str) -> None:
    """Each user's once. The file holds the password, and is readable by its owner only."""
    write_requests(path, iter([_login(row, password) for row in rows]))


def _refresh(row: Row, strategy: Strategy, page: str) -> Request:
    credential = load(strategy.carrier, row["credential"])
    return _post("refresh", row, (*credential.attach(page), JSON), credential.renewal() or {})


def _login(row: Row, password: str) -> Request:
    return _post("login", row, (JSON,), {"username": row["username"], "password": password})


def _post(name: str, row: Row, headers: tuple[tuple[str, str], ...], body: Mapping[str, str]) -> Request:
    endpoint = ENDPOINTS[name]
    return Request(
        method=endpoint.method,
        path=endpoint.path,
        headers=headers,
        body=to_json(body).decode(),
        status=endpoint.status,
        exact=None,
        contains=names_caller(row["username"]).decode(),
    )
