"""The results in a terminal: two lines a strategy, as many columns as fit, and never half a number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from authbench.analysis.findings import Comparison, Pair, Row, Summary
from reports.numbers import MISSING, between, count, cpu, half_width, interval_cpu, plus_minus, times, whole
from reports.words import freshness, printable, quantile, rank, stated, verdict

STYLES = {"better": "green", "worse": "red", "invalid": "bold red", "inconclusive": "yellow", "equivalent": "cyan"}
MARKS = {"firm": "●", "tentative": "◐", "open": "○"}
LONGEST_NAME = 30
MOST_BESIDE_OWN = 1  # combinations of levels that are shown beside a scenario's own tables


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head and its cells, each of up to two lines. The one with the highest `drop` goes first."""

    head: str
    cell: Callable[[Row], str]
    drop: int
    left: bool = False


def render(summary: Summary, width: int, *, brief: bool = False) -> RenderableType:
    """Answer, cost table and pair table of every comparison, for a terminal of that many columns.

    `brief`: a scenario with tables of its own needs no table a combination of levels where there are many.
    """
    parts: list[RenderableType] = []
    shown = () if brief and len(summary.comparisons) > MOST_BESIDE_OWN else summary.comparisons
    for comparison in shown:
        parts.append(Text(f"\n{printable(f'{summary.question.name}: {comparison.title}')}", style="bold"))
        parts.append(cost_table(comparison, width))
        parts.append(Text(footnote(comparison), style="dim"))
        if (pairs := pair_table(comparison, width)) is not None:
            parts += [Text("\nThe place and the user row, apart (CPU ms a request)", style="bold"), pairs]
    for rejected in summary.rejected:
        parts.append(Text(f"{printable(rejected.strategy)}: invalid, {rejected.verdict.why}", style="red"))
        parts += [Padding(Text(printable(problem)), (0, 0, 0, 2)) for problem in rejected.problems]
    parts.append(Text(""))
    parts += [Text(f"{MARKS[line.certainty]} {printable(line.text)} [{line.certainty}]") for line in summary.answer]
    return Group(*parts)


def print_summary(summary: Summary, console: Console, *, brief: bool = False) -> None:
    """Print everything to a terminal, at its own width; `brief` as in `render`."""
    console.print(render(summary, console.width, brief=brief), highlight=False)


def cost_table(comparison: Comparison, width: int) -> Table:
    """One row a strategy. Columns that do not fit are left out, least telling first; no cell is ever cut."""
    columns = fitting(comparison.rows, width)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        fold = column.head.startswith("strategy")
        table.add_column(Text(column.head), justify="left" if column.left else "right", no_wrap=not fold)
    for row in comparison.rows:
        style = STYLES.get(verdict(row), "") if row.verdict else "dim" if row.role == "control" else "bold"
        cells = [Text(column.cell(row), style=style if column.head == "verdict" else "") for column in columns]
        table.add_row(*cells)
    return table


def fitting(rows: Sequence[Row], width: int) -> list[Column]:
    """The columns that fit into `width` side by side, with one space between."""
    columns = _columns(rows)
    while len(columns) > 3 and sum(_needs(column, rows) + 1 for column in columns) - 1 > width:
        columns.remove(max(columns, key=lambda column: column.drop))
    return columns


def pair_table(comparison: Comparison, width: int) -> Table | None:
    """Place, claims, row, and what the user row costs; None where no two strategies are twins."""
    if not comparison.pairs:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("place")
    for head in ("claims", "row", "the user row costs", *(("the place costs",) if width >= 90 else ())):
        table.add_column(head, justify="right", no_wrap=True)
    for pair in comparison.pairs:
        table.add_row(*map(Text, _pair_cells(pair, width)))
    return table


def footnote(comparison: Comparison) -> str:
    """What the columns' figures mean, and at which rate latency was measured."""
    latency = next((found for row in comparison.rows if (found := stated(row))), None)
    rate = f"; p50 and p99 at {latency.rate_rps:.0f} requests/s (open model)" if latency else ""
    return (
        f"± and second lines: 95 % intervals over launches{rate}; "
        "in parentheses: fewer than 50 samples beyond; = : too close to rank"
    )


def _columns(rows: Sequence[Row]) -> list[Column]:
    def tier(name: str, row: Row) -> str:
        found = row.cpu_ms_by_tier.get(name)
        return f"{found.value:.2f}" if found else MISSING

    more = [name for name in ("auth", "vault") if any(name in row.cpu_ms_by_tier for row in rows)]
    return [
        Column("#", rank, 0, left=True),
        Column("strategy\nfreshness", lambda row: f"{printable(row.strategy)}\n{freshness(row)}", 0, left=True),
        Column("CPU ms\na request", _total, 1),
        *(Column(name, partial(tier, name), 12) for name in ("lb", "app", "db", "cache", *more)),
        Column("of\ncontrol", lambda row: _ratio(row, control=True), 11),
        Column("of\nreference", lambda row: _ratio(row, control=False), 3),
        Column("p50\np99 ms", lambda row: f"{quantile(row, 'p50')}\n{quantile(row, 'p99')}", 5),
        Column("DB\npeak", lambda row: whole(row.connections_peak), 6),
        Column(
            "SQL\ncache",
            lambda row: f"{count(row.statements_per_request)}\n{count(row.cache_commands_per_request)}",
            7,
        ),
        Column("bytes\ncred.", lambda row: f"{whole(_wire(row))}\n{whole(row.credential_bytes)}", 9),
        Column("verdict", verdict, 2, left=True),
    ]


def _needs(column: Column, rows: Sequence[Row]) -> int:
    lines = [line for text in (column.head, *map(column.cell, rows)) for line in text.splitlines()]
    longest = max(map(len, lines))
    return min(longest, LONGEST_NAME) if column.head.startswith("strategy") else longest


def _total(row: Row) -> str:
    if row.cpu_ms is None:
        return MISSING
    half = half_width(row.cpu_ms)
    return cpu(row.cpu_ms.value) if half is None else f"{cpu(row.cpu_ms.value)}\n±{cpu(half)}"


def _ratio(row: Row, *, control: bool) -> str:
    if row.role == ("control" if control else "reference"):
        return "1"
    found = row.to_control if control else row.to_reference
    return MISSING if found is None else f"{times(found)}\n{between(found)}"


def _wire(row: Row) -> float | None:
    if row.bytes_in_per_request is None or row.bytes_out_per_request is None:
        return None
    return row.bytes_in_per_request + row.bytes_out_per_request


def _pair_cells(pair: Pair, width: int) -> list[str]:
    def cost(value: float | None, interval: str) -> str:
        return MISSING if value is None else f"{value:+.3f} ({interval})"

    user_row, place = pair.user_row_ms, pair.location_ms
    cells = [
        printable(pair.location),
        plus_minus(pair.claims_ms),
        plus_minus(pair.row_ms),
        cost(user_row.value if user_row else None, interval_cpu(user_row)),
    ]
    return [*cells, cost(place.value if place else None, interval_cpu(place))] if width >= 90 else cells
