"""Request files of the experiment: each user's own login, and the one right answer of every service on the way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.contract.credentials import load
from apps.contract.endpoints import names_caller, to_json
from apps.contract.registry import Strategy
from authbench.experiments.services.plan import shape_of
from authbench.workload import Request, write_requests

Row = Mapping[str, Any]


def path_of(topology: str) -> str:
    """`/chain/4`."""
    shape, size = shape_of(topology)
    return f"/{shape}/{size}"


def answer_of(topology: str, user_id: int, username: str) -> bytes:
    """The whole body of a right answer: every service of the topology names this user, each at its place."""
    shape, size = shape_of(topology)
    if shape == "chain":
        return to_json(_chain(1, size, user_id, username))
    below = [_chain(2 + at, 1, user_id, username) for at in range(size)]
    return to_json(_told(1, user_id, username, below))


def write_mesh_requests(path: Path, rows: Sequence[Row], strategy: Strategy, topology: str) -> None:
    """A request a user, in the rows' order; readable by its owner only: it holds credentials."""
    write_requests(path, iter([_request(row, strategy, topology) for row in rows]))


def _request(row: Row, strategy: Strategy, topology: str) -> Request:
    return Request(
        method="GET",
        path=path_of(topology),
        headers=load(strategy.carrier, row["credential"]).attach(None),
        body=None,
        status=200,
        exact=answer_of(topology, row["id"], row["username"]).decode(),
        contains=names_caller(row["username"]).decode(),
    )


def _chain(first: int, length: int, user_id: int, username: str) -> dict[str, Any]:
    below = [_chain(first + 1, length - 1, user_id, username)] if length > 1 else []
    return _told(first, user_id, username, below)


def _told(service: int, user_id: int, username: str, below: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"service": service, "id": user_id, "username": username, "below": list(below)}
