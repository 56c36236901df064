"""A calibration as a table for a terminal."""

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from authbench.gate.calibration import Calibration, CalibrationRow
from reports.gate import percent

DASH = "–"
HEADS = (
    *("strategy", "figure", "tier", "pairs", "false alarms", "injected\nmeasured", "found"),
    *("s a\nverdict", "smallest\nfound", "spread"),
)


def print_calibration(found: Calibration, console: Console) -> None:
    """Print the rows, then the smallest change found as a function of the time spent."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for head in HEADS:
        table.add_column(head, no_wrap=True)
    for row in found.rows:
        table.add_row(*map(Text, _cells(row)))
    times = [Text(line, style="dim") for row in found.rows if (line := _by_time(row))]
    notes = [
        Text(
            "false alarms, found: share of drawn verdicts, with the interval of those that share no launch", style="dim"
        ),
        *(Text(line, style="dim") for row in found.rows if (line := _simulated(row))),
        Text("spread: standard deviation between launches of one build (tiers 0, 1: largest difference)", style="dim"),
    ]
    console.print(Group(table, *notes, *times), highlight=False)


def _cells(row: CalibrationRow) -> tuple[str, ...]:
    injected = DASH
    if row.injected is not None and row.injected_measured is not None:
        injected = f"+{100 * row.injected:g} %\n{100 * row.injected_measured[0]:+.1f} %"
    found = DASH
    if row.found_rate is not None and row.found_interval is not None:
        found = percent(row.found_rate, *row.found_interval).replace(" (", "\n(")
    return (
        row.strategy,
        row.metric,
        str(row.tier),
        str(row.pairs),
        percent(row.false_alarm_rate, *row.false_alarm_interval).replace(" (", "\n("),
        injected,
        found,
        f"{row.seconds_per_verdict:.0f}",
        _share(row.smallest_change_found),
        _share(row.spread_between_launches),
    )


def _simulated(row: CalibrationRow) -> str:
    if row.simulated_false_alarm_rate is None:
        return ""
    told = f"{row.strategy} {row.metric}: with the spread at its upper bound and heavy tails, simulated: "
    told += f"false alarms {100 * row.simulated_false_alarm_rate:.2f} %"
    if row.injected is not None and row.simulated_found_rate is not None:
        told += f", +{100 * row.injected:g} % found {100 * row.simulated_found_rate:.1f} %"
    return told


def _by_time(row: CalibrationRow) -> str:
    if not row.smallest_change_by_seconds:
        return ""
    told = ", ".join(f"{seconds:.0f} s {_share(change)}" for seconds, change in row.smallest_change_by_seconds)
    return f"{row.strategy} {row.metric}: smallest change found 95 % of the time in {told}"


def _share(value: float | None) -> str:
    return DASH if value is None else f"{100 * value:.1f} %" if value >= 0.0005 or not value else f"{100 * value:.3f} %"
