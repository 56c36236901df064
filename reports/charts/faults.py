"""What became of requests around a fault, a panel a strategy: outcomes over time, the fault's window shaded."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from authbench.analysis.faults import Suffered, Timeline
from reports.charts.canvas import CAPTION_IN, Chart, canvas, finish, label
from reports.palette import FAINT, INK

# Light where all is well; the three ways to go wrong differ in hue (Okabe and Ito) and in lightness, whatever the eye.
HUES = {"ok": "#CFE3EF", "refused": "#E69F00", "failed": "#0072B2", "unknown": "#3B3F46"}
WORDS = {
    "ok": "right answer",
    "refused": "refused, though the login was good",
    "failed": "failed (5xx)",
    "unknown": "no whole answer",
}
EDGE, SHADOW = "#D55E00", 0.13
COLUMNS = 3
PANEL_IN, GAP_IN = 1.05, 0.52
TOP_IN, BOTTOM_IN = 1.15, 0.55
FEWEST = 5.0  # requests a bin of the picture, on average: bins are put together until there are so many
HOW = (
    "Each bar is the requests that were due in that stretch of time, as shares by how they ended, all launches "
    "together; time counts from the fault's beginning. Shaded: while it held, on average; a restart or a flush is over "
    "at once, and is a line. A white gap: nothing was due. A strategy in brackets does not have the part on its way."
)


def timeline_chart(fault: str, rows: Sequence[Suffered], foot: str, name: str) -> Chart:
    """All that one fault was done to."""
    lines = math.ceil(len(rows) / COLUMNS)
    height = TOP_IN + lines * (PANEL_IN + GAP_IN) + BOTTOM_IN - GAP_IN + CAPTION_IN
    title = f"What became of requests – {fault}"
    figure = canvas(title, "share of the requests due at each moment, by how they ended", height, foot)
    _legend(figure)
    merged = [together(row.timeline) for row in rows]
    span = min(each.starts_s[0] for each in merged), max(each.starts_s[-1] + each.bin_s for each in merged)
    for number, row in enumerate(rows):
        line, column = divmod(number, COLUMNS)
        bottom = height - TOP_IN - PANEL_IN - line * (PANEL_IN + GAP_IN)
        left, width = 0.05 + column * 0.318, 0.29
        plot = figure.add_axes((left, bottom / height, width, PANEL_IN / height))
        _panel(plot, row, span, first=column == 0, last=number + COLUMNS >= len(rows))
    return finish(figure, name, title, _in_words(fault, rows), HOW)


def _panel(plot: Axes, row: Suffered, span: tuple[float, float], *, first: bool, last: bool) -> None:
    merged = together(row.timeline)
    width = merged.bin_s
    total = [sum(each) for each in zip(*merged.outcomes.values(), strict=True)]
    below = [0.0] * len(total)
    for outcome, hue in HUES.items():
        shares = [count / all_ if all_ else 0.0 for count, all_ in zip(merged.outcomes[outcome], total, strict=True)]
        plot.bar(merged.starts_s, shares, width, bottom=below, align="edge", color=hue, linewidth=0)
        below = [one + more for one, more in zip(below, shares, strict=True)]
    held = max(merged.lasted_s, 0.02)
    plot.axvspan(0, held, ymin=0, ymax=1, color=INK, alpha=SHADOW, linewidth=0)
    for edge in (0, held):
        plot.axvline(edge, color=EDGE, linewidth=1)
    plot.set_xlim(*span)
    plot.set_ylim(0, 1)
    plot.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %" if first else ""))
    plot.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    plot.tick_params(labelsize=8, length=2)
    control = row.role == "control"
    plot.set_title(
        label(f"({row.name})" if control else row.name, 44),
        fontsize=9,
        loc="left",
        color=FAINT if control else INK,
        pad=3,
    )
    if last:
        plot.set_xlabel("seconds since the fault began", fontsize=8, labelpad=2)


def together(timeline: Timeline) -> Timeline:
    """Neighbouring bins as one, such that those of the picture hold enough requests; none lies across the beginning."""
    counts = [sum(each) for each in zip(*timeline.outcomes.values(), strict=True)]
    mean = sum(counts) / max(len(counts), 1)
    size = max(1, math.ceil(FEWEST / mean)) if mean else 1
    first = math.floor(timeline.first / size)
    lead = timeline.first - first * size
    places = math.ceil((lead + len(counts)) / size)
    outcomes = {
        outcome: [sum(values[max(0, at * size - lead) : (at + 1) * size - lead]) for at in range(places)]
        for outcome, values in timeline.outcomes.items()
    }
    return Timeline(timeline.bin_s * size, first, timeline.lasted_s, timeline.launches, outcomes)


def _legend(figure: Figure) -> None:
    height = figure.get_size_inches()[1]
    left = 0.05
    for outcome, hue in HUES.items():
        figure.text(left, 1 - 0.74 / height, "■", color=hue, fontsize=11, va="center")
        figure.text(left + 0.018, 1 - 0.74 / height, WORDS[outcome], fontsize=8.8, color=INK, va="center")
        left += 0.05 + 0.0077 * len(WORDS[outcome])
    figure.text(left, 1 - 0.74 / height, "┃", color=EDGE, fontsize=11, va="center")
    figure.text(left + 0.018, 1 - 0.74 / height, "shaded: while it held", fontsize=8.8, color=INK, va="center")


def _in_words(fault: str, rows: Sequence[Suffered]) -> str:
    told = []
    for row in rows:
        counts = {outcome: sum(values) for outcome, values in row.timeline.outcomes.items()}
        sent = sum(counts.values())
        wrong = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("refused", "failed", "unknown"))
        told.append(f"{row.name} {counts['ok']} of {sent} right ({wrong})")
    return f"Requests by how they ended where {fault}: {'; '.join(told)}."
