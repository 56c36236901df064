"""The results as a figure, to be pasted into slides."""

from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from authbench.analysis.findings import Comparison, Row
from reports.charts.canvas import CAPTION_IN, Chart, canvas, finish, label
from reports.numbers import between, count, plus_minus, times, whole
from reports.palette import FAINT, FRESHNESS_MARK, INK, RULE, colour
from reports.words import quantile, rank, verdict

TITLE = "What each place for the proof of a login costs a request"
HOW = (
    "The cost table as a picture. What follows ± and what stands in parentheses after a ratio are 95 % intervals over "
    "launches; a p99 in parentheses has fewer than 50 samples beyond it."
)
LINE_IN = 0.3
VERDICT_INK = {"better": "#00684A", "worse": "#A8320B", "invalid": "#A8320B"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the figure: two lines of head, where it stands (share of the width), how it is aligned."""

    head: str
    at: float
    align: Literal["left", "right"]


COLUMNS = (
    Column("#", 0.016, "left"),
    Column("strategy", 0.062, "left"),
    Column("CPU a request\nms", 0.335, "right"),
    Column("of reference\n(interval)", 0.475, "right"),
    Column("p50\nms", 0.535, "right"),
    Column("p99\nms", 0.598, "right"),
    Column("DB conn.\npeak", 0.668, "right"),
    Column("SQL a\nrequest", 0.732, "right"),
    Column("cache cmd\na request", 0.808, "right"),
    Column("credential\nbytes", 0.882, "right"),
    Column("verdict", 0.985, "right"),
)


def table_chart(comparison: Comparison, foot: str, name: str = "table") -> Chart:
    """One line a strategy, least CPU first."""
    height = 1.5 + LINE_IN * len(comparison.rows) + CAPTION_IN
    figure = canvas(
        TITLE,
        f"{comparison.title} · ● reads the user row  ○ claims only · (in parentheses: fewer than 50 samples beyond)",
        height,
        foot,
    )
    y = 1 - 1.02 / height
    for column in COLUMNS:
        figure.text(column.at, y, column.head, ha=column.align, va="center", fontsize=8.2, color=FAINT, linespacing=1.2)
    _rule(figure, y - 0.22 / height)
    for number, row in enumerate(comparison.rows):
        line = y - (0.4 + number * LINE_IN) / height
        if row.role != "strategy":
            corner = (0.008, line - LINE_IN / 2 / height)
            box = Rectangle(corner, 0.984, LINE_IN / height, transform=figure.transFigure, color="#F3F5F7", zorder=-1)
            figure.add_artist(box)
        _line(figure, line, row)
    told = "; ".join(f"{row.strategy} {plus_minus(row.cpu_ms)} ms" for row in comparison.rows)
    return finish(figure, name, f"{TITLE}: {comparison.title}", f"Table of results: {told}.", HOW)


def _line(figure: Figure, y: float, row: Row) -> None:
    ratio = "1 (reference)" if row.role == "reference" else f"{times(row.to_reference)} ({between(row.to_reference)})"
    cells = (
        rank(row),
        label(row.strategy, 24),
        plus_minus(row.cpu_ms),
        ratio if row.to_reference or row.role == "reference" else "",
        quantile(row, "p50"),
        quantile(row, "p99"),
        whole(row.connections_peak),
        count(row.statements_per_request),
        count(row.cache_commands_per_request),
        whole(row.credential_bytes),
        verdict(row),
    )
    for column, cell in zip(COLUMNS, cells, strict=True):
        weight = "bold" if column.head.startswith(("strategy", "CPU")) else "normal"
        ink = VERDICT_INK.get(cell, INK) if column.head == "verdict" else INK
        figure.text(column.at, y, cell, ha=column.align, va="center", fontsize=8.6, weight=weight, color=ink)
    hue = colour(row.strategy, row.location)
    figure.text(0.047, y, FRESHNESS_MARK.get(row.freshness, ""), ha="center", va="center", color=hue, fontsize=11)


def _rule(figure: Figure, y: float) -> None:
    figure.add_artist(Line2D([0.012, 0.988], [y, y], transform=figure.transFigure, color=RULE, linewidth=1))
