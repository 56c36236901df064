"""Micro-benchmarks in a terminal: a table a group, cheapest first, each figure with its distance from the floor."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from authbench.analysis.estimate import Estimate
from authbench.analysis.micro import MicroRow
from authbench.terminal import shown
from reports.numbers import MISSING, times
from reports.table import STYLES


def print_micro(rows: Sequence[MicroRow], console: Console) -> None:
    """Every group. Medians of rounds; intervals of 95 % over launches."""
    for group, members in groupby(rows, key=lambda row: row.group):
        table = Table("", "version", "µs", "95 %", "of floor", "of reference", "bytes", "verdict", title=shown(group))
        table.title_justify = "left"
        for row in members:
            word = "" if row.verdict is None else row.verdict.word
            table.add_row(
                shown(row.subject),
                shown(row.version) or MISSING,
                _us(row.time.value),
                _interval(row.time),
                times(row.to_floor),
                times(row.to_reference),
                MISSING if row.size_bytes is None else str(row.size_bytes),
                Text(word, style=STYLES.get(word, "")),
            )
        console.print(table)


def _us(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _interval(time: Estimate) -> str:
    return MISSING if time.low is None or time.high is None else f"{_us(time.low)}–{_us(time.high)}"
