"""What a gate found: as a table for a terminal, Markdown for a CI step, JUnit and annotations."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from authbench.gate.gated import GATED
from authbench.gate.result import GateResult, GateRow
from reports.exports.case import Case, Outcome
from reports.markdown import escape
from reports.words import printable

STYLES = {"pass": "green", "regression": "bold red", "inconclusive": "yellow", "invalid": "bold red"}
OUTCOMES: dict[str, Outcome] = {
    "pass": "passed",
    "regression": "failed",
    "invalid": "invalid",
    "inconclusive": "inconclusive",
    "not compared": "inconclusive",
}
UNSEEN = 0.001
WHOLE = ("tier", "strategy", "base", "candidate", "limit", "says")  # never cut, never folded
RIGHT = ("base", "candidate", "limit")
HEADS = ("tier", "strategy", "endpoint", "figure", "base", "candidate", "change", "limit", "says", "why")


def print_gate(result: GateResult, console: Console) -> None:
    """Print the whole result at the console's width."""
    console.print(render(result), highlight=False)


def render(result: GateResult) -> RenderableType:
    """The rows that matter, what such a verdict is worth, then the verdict."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for head in HEADS:
        table.add_column(head, no_wrap=head in WHOLE, justify="right" if head in RIGHT else "left")
    for row in shown(result.rows):
        *cells, says, why = map(printable, cells_of(row))
        table.add_row(*map(Text, cells), Text(says, style=STYLES.get(row.outcome, "dim")), Text(why))
    sides = printable(f"{result.base.told}  →  {result.candidate.told}")
    lines: list[RenderableType] = [Text(sides, style="bold"), table]
    if hidden := len(result.rows) - len(shown(result.rows)):
        lines.append(Text(f"and {hidden} exact figures as before (gate.json holds them all)", style="dim"))
    lines += [Text(printable(f"! {note}"), style="yellow") for note in result.notes]
    lines += [Text(printable(line), style="dim") for line in worth(result)]
    lines.append(Text(verdict(result), style=STYLES.get(result.outcome, "bold")))
    return Group(*lines)


def verdict(result: GateResult) -> str:
    """One sentence, as an exit code would say it."""
    count = sum(row.outcome == result.outcome for row in result.rows)
    left_out = sum(row.outcome == "not compared" for row in result.rows)
    compared = len(result.rows) - left_out
    said = {
        "pass": f"pass: none of {compared} figures is worse than allowed",
        "regression": f"regression: {count} of {compared} figures are worse than allowed",
        "inconclusive": f"inconclusive: {count} of {compared} figures cannot be decided in this time",
        "invalid": f"invalid: {count} of {compared} figures were measured and do not count",
    }
    told = said[result.outcome] if compared else "invalid: nothing was compared"
    if left_out:
        told += f", {left_out} not compared"
    return f"{told} ({result.seconds:.0f} s, exit code {result.exit_code})"


def worth(result: GateResult) -> list[str]:
    """What such a verdict is worth here: twins of this run, the ledger, the calibration."""
    lines = []
    for twin in result.twins:
        if twin.bounds is not None and twin.bounds.interval is not None:
            low, high = twin.bounds.interval
            lines.append(
                f"twin of the base, {twin.strategy}: {change(twin.bounds.ratio)} "
                f"({change(low)} to {change(high)}) over {twin.bounds.launches} launches: {twin.outcome}"
            )
    if result.ledger is not None:
        lines.append(
            f"ledger: {result.ledger.alarms} of {result.ledger.twins} twins were called a regression, "
            f"so at most {100 * result.ledger.upper:.1f} % (95 %)"
        )
    for quoted in result.calibration:
        low, high = quoted.false_alarm_interval
        line = f"calibrated, {quoted.strategy}: false alarms {percent(quoted.false_alarm_rate, low, high)}"
        if quoted.found_rate is not None and quoted.found_interval is not None and quoted.injected:
            line += f"; +{100 * quoted.injected:g} % found {percent(quoted.found_rate, *quoted.found_interval)}"
        if quoted.smallest_change_found is not None:
            line += f"; smallest change found 95 % of the time {100 * quoted.smallest_change_found:.1f} %"
        lines.append(line)
    if not result.calibration and 2 in result.tiers and result.way == "against":
        lines.append(
            "not calibrated on this machine: authbench calibrate --inject 5% --out FILE, then --calibration FILE"
        )
    return lines


def markdown_body(result: GateResult) -> str:
    """The rows as a Markdown table, and what the verdict is worth."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    lines += [f"| {' | '.join(map(escape, cells_of(row)))} |" for row in shown(result.rows)]
    notes = [*result.notes, *worth(result)]
    return "\n".join([*lines, "", *(f"- {escape(note)}" for note in notes)])


def cases(result: GateResult) -> tuple[Case, ...]:
    """A case a row, for JUnit, annotations and step summary."""
    return tuple(
        Case(
            suite=row.strategy,
            name=f"{row.endpoint} {row.metric}",
            outcome=OUTCOMES[row.outcome],
            message=_message(row),
            properties={"tier": str(row.tier), "limit": row.limit, "unit": row.unit},
        )
        for row in result.rows
    )


def shown(rows: Sequence[GateRow]) -> list[GateRow]:
    """Rows that say something: all but exact figures that are as before, or nearly so where they vary by themselves."""
    return [row for row in rows if row.tier > 0 or row.outcome != "pass" or _moved(row)]


def _moved(row: GateRow) -> bool:
    if row.base is None or row.candidate is None:
        return row.base is not row.candidate
    return abs(row.candidate - row.base) > UNSEEN * abs(row.base)


def cells_of(row: GateRow) -> tuple[str, ...]:
    """The row as text, in the order of HEADS."""
    label = GATED[row.metric].label if row.metric in GATED else row.metric
    moved = "–" if row.ratio is None else change(row.ratio)
    if row.interval is not None:
        moved += f" ({change(row.interval[0])} to {change(row.interval[1])})"
    return (
        str(row.tier),
        row.strategy,
        row.endpoint,
        label,
        _number(row.base),
        _number(row.candidate),
        moved,
        row.limit,
        row.outcome,
        row.why,
    )


def change(ratio: float) -> str:
    """`+5.1 %` for 1.051."""
    return f"{100 * (ratio - 1):+.1f} %"


def percent(rate: float, low: float, high: float) -> str:
    """`0.5 % (0.0 to 4.9 %)`."""
    return f"{100 * rate:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"


def _message(row: GateRow) -> str:
    moved = "" if row.ratio is None else f"{change(row.ratio)}, limit {row.limit}: "
    values = f"{_number(row.base)} → {_number(row.candidate)} {row.unit}".rstrip()
    return f"{row.strategy} {row.endpoint} {row.metric}: {values}; {moved}{row.why}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 or not value % 1 else f"{value:.3f}"
