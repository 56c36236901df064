"""What each strategy buys, beside what it costs: one table for terminal, HTML, Markdown and CSV."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from authbench.analysis.findings import Summary
from authbench.semantics.findings import EVENTS, Edge, Obeyed, Semantics
from reports.exports.table_csv import Cell, table
from reports.numbers import MISSING, plus_minus
from reports.words import printable

NARROWEST = 14  # columns of a terminal: no word is cut
AT_ONCE_POLLS = 2  # an event that was obeyed by the second poll was obeyed as soon as can be told
FEW, MANY = 1, 100  # permissions of the users whose credentials' bytes are shown
CPU_HEAD = "CPU ms a request"
EVENT_HEADS = {
    "logout": "logout ends it",
    "deactivation": "deactivation",
    "password change": "new password",
    "permission change": "permission taken",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A head and what the cells under it mean."""

    head: str
    meaning: str


COLUMNS: tuple[Column, ...] = (
    Column("strategy", ""),
    Column(CPU_HEAD, "whoami, whole stack, 95 % over launches; from the cost table"),
    *(
        Column(EVENT_HEADS[event], f"time from the {event} until no replica went by the old state any more")
        for event in EVENTS
    ),
    Column("a copy after logout can", "what somebody who copied the credential before the logout can do after it"),
    Column("used twice", "whether the same credential is let in a second time"),
    Column("clock 300 s off", "replicas whose clocks disagree: is a login of one accepted at the other?"),
    Column("changed by a character", "variants of a credential that were let in, of those tried"),
    Column("bytes a request", f"header of a user with {FEW} and with {MANY} permissions"),
    Column("too large from", "permissions of a user whom the stack no longer let in, and the status it answered"),
    Column("header limit", "longest credential header that reached the application, and what a longer one got"),
    Column("caches", "whether a cache in between could hand the answer to somebody else"),
)

TERMINAL = frozenset({"strategy", CPU_HEAD, *EVENT_HEADS.values(), "a copy after logout can", "bytes a request"})


def cells(row: Semantics, cpu: Mapping[str, str]) -> tuple[str, ...]:
    """The texts of one strategy's row, in the order of COLUMNS."""
    return (
        row.strategy,
        cpu.get(row.strategy, MISSING),
        *(_obeyed(row.obeyed[event], row.poll_s) for event in EVENTS),
        _stolen(row),
        "accepted" if row.replayed else "refused",
        _clock(row),
        f"{row.altered_accepted} of {row.altered_tried}",
        " → ".join(f"{row.credential_bytes[many]:,}" for many in (FEW, MANY) if many in row.credential_bytes),
        _too_large(row),
        _limit(row.header_at_balancer),
        _caches(row),
    )


def rows(semantics: Sequence[Semantics], summary: Summary | None = None) -> list[tuple[str, ...]]:
    """A row a strategy. With a summary: CPU a request from its first comparison that has the strategy, in its order."""
    cpu: dict[str, str] = {}
    for comparison in summary.comparisons if summary else ():
        for row in comparison.rows:
            if row.cpu_ms is not None:
                cpu.setdefault(row.strategy, plus_minus(row.cpu_ms))
    place = {name: number for number, name in enumerate(cpu)}
    ordered = sorted(semantics, key=lambda row: place.get(row.strategy, len(place)))
    return [cells(row, cpu) for row in ordered]


def semantics_csv(semantics: Sequence[Semantics]) -> bytes:
    """Every figure, a line a strategy and figure: strategy, figure, value, unit; empty values for "not seen"."""
    return table(("strategy", "figure", "value", "unit"), (line for row in semantics for line in _figures(row)))


def _figures(row: Semantics) -> Iterator[tuple[str, str, Cell, str]]:
    name = row.strategy
    for event, obeyed in row.obeyed.items():
        yield name, f"{event} obeyed after", obeyed.after_s, "s"
        yield name, f"{event} looked for", obeyed.within_s, "s"
    yield name, "a copy after logout can", " ".join(row.stolen_after_logout), ""
    yield name, "used twice", int(row.replayed), "0/1"
    yield name, "fixated", int(row.fixated), "0/1"
    yield name, "changed variants tried", row.altered_tried, "requests"
    yield name, "changed variants let in", row.altered_accepted, "requests"
    yield name, "let in elsewhere", " ".join(row.accepted_elsewhere), ""
    for many, size in row.credential_bytes.items():
        yield name, f"header with {many} permissions", size, "bytes"
    for where, edge in (("balancer", row.header_at_balancer), ("replica", row.header_at_replica)):
        yield name, f"header limit at the {where}", edge.bytes, "bytes"
    if row.skew is not None:
        for what, accepted in (("issued", row.skew.ahead_at_right), ("verified", row.skew.right_at_ahead)):
            yield name, f"accepted when {what} 300 s ahead", None if accepted is None else int(accepted), "0/1"


def print_bought(semantics: Sequence[Semantics], summary: Summary | None, console: Console) -> None:
    """The columns that tell most, and whatever no strategy may do."""
    heads = [column.head for column in COLUMNS]
    shown = [
        number for number, head in enumerate(heads) if head in TERMINAL and (summary is not None or head != CPU_HEAD)
    ]
    shown_table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for number in shown:
        shown_table.add_column(heads[number], no_wrap=number == 0, min_width=min(len(heads[number]), NARROWEST))
    for row in rows(semantics, summary):
        shown_table.add_row(*(Text(printable(row[number]).replace("not within", ">")) for number in shown))
    console.print(Text("\nWhat each buys", style="bold"))
    console.print(shown_table)
    console.print(Text("> 3 s: not within 3 s, and maybe never; at once: by the second poll", style="dim"))
    for line in problems(semantics):
        console.print(Text(f"✗ {printable(line)}", style="red"))


def problems(semantics: Sequence[Semantics]) -> list[str]:
    """What no strategy may do and some strategy does, a line each."""
    return [f"{row.strategy}: {problem}" for row in semantics for problem in row.problems]


def _obeyed(obeyed: Obeyed, poll_s: float) -> str:
    if obeyed.within_s == 0:
        return MISSING
    if obeyed.after_s is None:
        return f"not within {obeyed.within_s:g} s"
    return "at once" if obeyed.after_s < AT_ONCE_POLLS * poll_s else f"{obeyed.after_s:.1f} s"


def _stolen(row: Semantics) -> str:
    if not row.stolen_after_logout:
        return "nothing"
    until = "for ever" if row.expires_in_s is None else f"for {_span(row.expires_in_s)}"
    return f"{', '.join(row.stolen_after_logout)} {until}"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _clock(row: Semantics) -> str:
    if row.skew is None:
        return MISSING
    if row.skew.right_at_ahead is None or row.skew.ahead_at_right is None:
        return "stays on one replica"
    refused = [
        where
        for where, accepted in (("issued ahead", row.skew.ahead_at_right), ("read ahead", row.skew.right_at_ahead))
        if not accepted
    ]
    return f"refused: {', '.join(refused)}" if refused else "accepted"


def _too_large(row: Semantics) -> str:
    if row.refused_sizes:
        many = min(row.refused_sizes)
        return f"{many:,} permissions ({row.refused_sizes[many]})"
    return f"not by {max(row.credential_bytes, default=0):,}"


def _limit(edge: Edge) -> str:
    if edge.bytes is None:
        return f"over {edge.tried_bytes:,} B" if edge.tried_bytes else MISSING
    return f"{edge.bytes:,} B ({edge.status or 'closed'})"


def _caches(row: Semantics) -> str:
    lacking = [f"{name} may be stored" for name in row.storable] + [f"{name} lacks Vary" for name in row.invariable]
    return "; ".join(lacking) or "no-store, Vary"
