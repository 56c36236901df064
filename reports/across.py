"""Two runs beside each other in a terminal, and as cases for tools: narrower by whole columns, never half a number."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from authbench.analysis.caution import Caution
from authbench.analysis.change import Across, Change, Refused
from authbench.metric import METRICS
from reports.exports.case import Case, Outcome
from reports.numbers import MISSING, between, count, cpu, ms, times
from reports.table import STYLES
from reports.words import printable

SHOWN_CELLS = 3  # of those refused for one reason, by name


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head and its cells. The one with the highest `drop` goes first where there is no room."""

    head: str
    cell: Callable[[Change], str]
    drop: int
    left: bool = False


def render(old: str, new: str, across: Across, width: int) -> RenderableType:
    """Everything about one NEW, for a terminal of that many columns. `old` and `new`: the folders' names."""
    head = f"{printable(new)}  beside  {printable(old)}: {across.comparability.basis} are compared"
    parts: list[RenderableType] = [Text(f"\n{head}", style="bold")]
    for title, metrics in by_levels(across.changes):
        parts.append(Text(f"\n{title}", style="bold"))
        same = [changes for changes in metrics if all(map(_untouched, changes))]
        for changes in metrics:
            if changes not in same:
                shown = _all_alike(changes) or table(changes, width - 2)
                parts += [Text(heading(changes[0])), Padding(shown, (0, 0, 0, 2))]
        parts += [Text(line, style=STYLES["invalid"]) for line in _invalid(metrics)]
        if same:
            names = ", ".join(f"{METRICS[changes[0].metric].label} ({len(changes)})" for changes in same)
            parts.append(Text(f"equivalent, the same count in every trial of every strategy: {names}", style="cyan"))
    if across.changes:
        parts.append(Text(f"\n{footnote(across.changes)}", style="dim"))
    parts += [Text(line, style="yellow") for line in map(_refused, across.refused)]
    parts += [Text(f"! {_told(caution)}", style="yellow") for caution in across.cautions]
    quiet = [each for each in across.comparability.differences if not each.loud]
    parts += [Text(f"  {printable(f'{each.part}: {each.old}, then {each.new}')}", style="dim") for each in quiet]
    return Group(*parts)


def print_across(old: str, new: str, across: Across, console: Console) -> None:
    """Print it to a terminal, at its own width."""
    console.print(render(old, new, across, console.width), highlight=False)


def table(changes: Sequence[Change], width: int) -> Table:
    """A row a strategy. Columns that do not fit are left out, least telling first; no number is ever cut."""
    columns = list(COLUMNS)
    while sum(_needs(column, changes) + 1 for column in columns) - 1 > width and any(each.drop for each in columns):
        columns.remove(max(columns, key=lambda column: column.drop))
    found = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        found.add_column(
            Text(column.head), justify="left" if column.left else "right", no_wrap=column.head != "strategy"
        )
    for change in changes:
        style = STYLES.get(change.verdict.word, "")
        found.add_row(*(Text(each.cell(change), style=style if each.head == "verdict" else "") for each in columns))
    return found


def by_levels(changes: Sequence[Change]) -> Iterator[tuple[str, list[list[Change]]]]:
    """Title of each combination of levels, and its changes: a list a metric and load, in the metrics' order."""
    levels: dict[str, dict[tuple[int, str, str], list[Change]]] = {}
    order = {name: place for place, name in enumerate(METRICS)}
    for change in changes:
        metrics = levels.setdefault(_title(change), {})
        metrics.setdefault((order[change.metric], change.load, change.shown), []).append(change)
    for title, metrics in levels.items():
        yield title, [here for _, here in sorted(metrics.items())]


def heading(change: Change) -> str:
    """The metric, its unit, where it was read, and how it is compared."""
    metric = METRICS[change.metric]
    unit = {"ms": ", ms", "× control": ", times the control"}.get(change.unit, "")
    load = "" if change.load == "any" else f", {change.load}"
    exact = " (exact count)" if change.shown == "exact count" else ""
    return printable(f"{metric.label}{unit}{load}{exact}")


def footnote(changes: Sequence[Change]) -> str:
    """What the columns' figures mean."""
    told = "95 %: Welch's t on logs of launches, independent runs; verdicts Holm-corrected over all tests of this NEW"
    if any(change.shown == "exact count" for change in changes):
        told += "; exact counts: any change is a change, or, where they vary within a run, ranges that do not meet"
    if any(change.seconds is not None for change in changes):
        told += (
            "; times the control: its own seconds moved, so that these are the ratios to it within each run's blocks"
        )
    return told


def cases(new: str, across: Across) -> tuple[Case, ...]:
    """One case a verdict, for JUnit and annotations: `worse` has failed."""
    outcomes: dict[str, Outcome] = {"worse": "failed", "invalid": "invalid", "inconclusive": "inconclusive"}
    return tuple(
        Case(
            suite=f"{new}: {_title(change)}",
            name=f"{change.strategy}: {METRICS[change.metric].label} at {change.load}",
            outcome=outcomes.get(change.verdict.word, "passed"),
            message=f"{change.verdict.word}: {change.verdict.why}",
            details=f"{value(change, change.old)}, then {value(change, change.new)} {change.unit}",
        )
        for change in across.changes
    )


def value(change: Change, number: float | None) -> str:
    """A value with as many digits as its unit is known to; a dash for none."""
    if number is None:
        return MISSING
    if change.unit == "× control":
        return f"{number:.3f}×"
    if change.unit == "ms":
        return cpu(number) if METRICS[change.metric].source == "saturate" else ms(number)
    return count(number)


def _invalid(metrics: Sequence[Sequence[Change]]) -> list[str]:
    """Why a strategy has no verdict, a line a reason, however many metrics it takes."""
    found = [change for changes in metrics for change in changes if change.verdict.word == "invalid"]
    return list(dict.fromkeys(printable(f"{each.strategy}: invalid, {each.verdict.why}") for each in found))


def _untouched(change: Change) -> bool:
    return change.verdict.word == "equivalent" and change.ratio is None and change.old == change.new


def _all_alike(changes: Sequence[Change]) -> Text | None:
    """One line in place of a table that would say the same of every strategy; None where it would not."""
    verdicts = {(change.verdict.word, change.verdict.why) for change in changes}
    if len(verdicts) > 1 or any(change.ratio is not None or change.shown == "exact count" for change in changes):
        return None
    word, why = verdicts.pop()
    return Text(printable(f"{word}: {why} ({', '.join(change.strategy for change in changes)})"), STYLES.get(word, ""))


def _ratio(change: Change) -> str:
    if change.shown != "exact count":
        return MISSING if change.ratio is None else times(change.ratio)
    if change.old is None or change.new is None:
        return MISSING
    return "same" if change.old == change.new else f"{change.new - change.old:+.3g}"


def _title(change: Change) -> str:
    named = [f"{name} = {level}" for name, level in sorted(change.levels.items()) if name != "workload"]
    return printable(", ".join([str(change.levels.get("workload", "all requests")), *named]))


def _needs(column: Column, changes: Sequence[Change]) -> int:
    return max(len(column.head), *(len(column.cell(change)) for change in changes))


def _refused(refused: Refused) -> str:
    named = ["/".join(map(str, cell.values())) for cell in refused.cells[:SHOWN_CELLS]]
    more = f" and {len(refused.cells) - SHOWN_CELLS} more" if len(refused.cells) > SHOWN_CELLS else ""
    return printable(f"✗ not compared: {refused.reason} ({', '.join(named)}{more})")


def _told(caution: Caution) -> str:
    return printable(f"{caution.about}: {caution.message} [{caution.code}]")


COLUMNS = (
    Column("strategy", lambda change: printable(change.strategy), 0, left=True),
    Column("old", lambda change: value(change, change.old), 2),
    Column("new", lambda change: value(change, change.new), 2),
    Column("new / old", _ratio, 0),
    Column("95 %", lambda change: MISSING if change.ratio is None else between(change.ratio), 1),
    Column("verdict", lambda change: change.verdict.word, 0, left=True),
)
