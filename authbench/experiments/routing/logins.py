"""Which replica keeps which of the logins that were made beforehand.

A password hash costs a third of a second, and what is measured here begins after it: so a client asks for a page first,
and whichever replica answers is the one that its login would have gone to. It is given a login that the strategy's own
code has made, of those that this replica keeps.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

from apps.contract.endpoints import ROUTE_COOKIE
from apps.contract.registry import Location, Strategy
from authbench.experiments.routing.plan import FileStore

Row = Mapping[str, Any]
Keeper = Literal["replica", "shared", "client"]  # who has what a login needs: one replica, all of them, the client
FILES = "session-file"
CLIENTS: tuple[Location, ...] = ("none", "cookie", "page", "token")


def keeper_of(strategy: Strategy, file_store: FileStore) -> Keeper:
    """Who keeps the strategy's logins; `file_store`: whether replicas share the folder of session files."""
    if strategy.sticky or (strategy.name == FILES and file_store == "unshared"):
        return "replica"
    return "client" if strategy.location in CLIENTS else "shared"


class Logins:
    """The logins of one strategy, handed out by the replica that the client has met."""

    def __init__(self, rows: Sequence[Row], keeper: Keeper, replicas: Sequence[str]) -> None:
        """`replicas`: names of all, in order. Raises ValueError where one has none."""
        kept = {
            name: [row for at, row in enumerate(rows) if keeper != "replica" or _home(row, at, replicas) == name]
            for name in replicas
        }
        if empty := [name for name, own in kept.items() if not own]:
            raise ValueError(f"{empty[0]}: no logins were made for it")
        self._next: Mapping[str, Iterator[Row]] = {name: cycle(own) for name, own in kept.items()}

    def at(self, replica: str) -> Row:
        """The next login of that replica; begins again where all are given. Raises KeyError for an unknown replica."""
        return next(self._next[replica])


def deal_files(rows: Sequence[Row], shared: Path, own: Mapping[str, Path]) -> None:
    """Copies each login's session file from the shared folder into that of its replica alone.

    Raises OSError where a file is missing.
    """
    replicas = tuple(own)
    for folder in own.values():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for at, row in enumerate(rows):
        for name in _session_files(row):
            shutil.copy2(shared / name, own[_home(row, at, replicas)] / name)


def _home(row: Row, at: int, replicas: Sequence[str]) -> str:
    """The replica that the row's own route names; without one, the replicas take the rows in turn."""
    named = row["credential"].get("cookies", {}).get(ROUTE_COOKIE)
    return str(named) if named else replicas[at % len(replicas)]


def _session_files(row: Row) -> list[str]:
    """Django's `file` engine calls a session's file after its cookie and its key."""
    return [f"{name}{key}" for name, key in row["credential"]["cookies"].items() if name != ROUTE_COOKIE]
