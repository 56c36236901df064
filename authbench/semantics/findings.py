"""What one strategy buys, as measured: one line of semantics.jsonl."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from authbench.errors import UsageError
from authbench.journal import write_whole
from authbench.records import Frozen

SEMANTICS_FILE = "semantics.jsonl"
SCHEMA_VERSION = 1

Event = Literal["logout", "deactivation", "password change", "permission change"]
EVENTS: tuple[Event, ...] = ("logout", "deactivation", "password change", "permission change")
Ability = Literal["read", "write", "renew"]


class Obeyed(Frozen):
    """How long after an event the last replica still went by what was before it."""

    after_s: float | None  # None: not within `within_s`. At most one poll longer than it really took
    within_s: float


class Edge(Frozen):
    """The longest header line that still reached the application, and what a longer one is answered."""

    bytes: int | None  # name, separator and line end included; None: nothing was refused up to `tried_bytes`
    status: int | None  # of the first refused one; None where the connection was just closed
    tried_bytes: int


class Skew(Frozen):
    """A credential from a replica whose clock is right, at one that is ahead, and the other way round.

    True: accepted; None: not asked, since a login never leaves its replica or nothing carries a time.
    """

    ahead_s: float
    right_at_ahead: bool | None
    ahead_at_right: bool | None


class Semantics(Frozen):
    """What one strategy buys. Everything was measured through the load balancer, on every replica."""

    schema_version: int = SCHEMA_VERSION
    strategy: str
    obeyed: Mapping[Event, Obeyed]
    poll_s: float
    expires_in_s: float | None  # a copied credential is worth nothing later than this; None: it names no end
    stolen_after_logout: tuple[Ability, ...]  # what a copy made before the logout can still do after it
    replayed: bool  # a copy is accepted after its original was used
    fixated: bool  # a credential that was planted before the login names the victim after it
    altered_tried: int  # variants of a credential, one character changed each
    altered_accepted: int  # each encodes the very same, unless it is among
    altered_as_others: int  # those that named another user
    accepted_elsewhere: tuple[str, ...]  # other strategies that let this one's credential in
    skew: Skew | None  # None: not measured
    credential_bytes: Mapping[int, int]  # permissions of the user -> bytes that every request carries
    refused_sizes: Mapping[int, int]  # permissions of the user -> status, where the stack refused the request for it
    header_at_balancer: Edge
    header_at_replica: Edge
    storable: tuple[str, ...]  # answers without `no-store`
    invariable: tuple[str, ...]  # answers whose Vary does not name the credential's header
    problems: tuple[str, ...] = ()  # what no strategy may do, a line each


def write_semantics(folder: Path, rows: Iterable[Semantics]) -> None:
    """Writes the file whole or not at all. Raises UsageError where the folder cannot be written."""
    text = "".join(row.model_dump_json() + "\n" for row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / SEMANTICS_FILE, text.encode())
    except OSError as error:
        raise UsageError(f"{folder}: cannot write ({error.strerror}); name another with --out") from error


def read_semantics(folder: Path) -> tuple[Semantics, ...]:
    """The rows of a result folder, in the order written; empty where nothing of the kind was measured.

    Raises UsageError where a line is not such a row.
    """
    path = folder / SEMANTICS_FILE
    if not path.is_file():
        return ()
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            rows.append(Semantics.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UsageError(f"{path}:{number}: not a row of this authbench ({where}: {first['msg']})") from error
    return tuple(rows)
