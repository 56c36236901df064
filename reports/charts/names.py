"""A name at each line's end, pushed apart where ends lie close, with a thin line from each end to its name."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from reports.charts.canvas import label
from reports.palette import FAINT, FRESHNESS_MARK, colour

GAP = 0.052  # of the axes' height: the least between two names
KEY = "● user row  ○ claims"


@dataclass(frozen=True, slots=True)
class End:
    """Where a line ends, in the plot's own coordinates, and what stands beside it."""

    x: float | None  # None: at the plot's right edge
    y: float
    text: str
    hue: str


def strategy_end(x: float | None, y: float, strategy: str, location: str, freshness: str) -> End:
    """An end that bears a strategy's name, in its colour, with the mark of its freshness."""
    return End(x, y, f"{FRESHNESS_MARK.get(freshness, '')} {label(strategy, 24)}", colour(strategy, location))


def name_ends(
    plot: Axes, ends: Sequence[End], *, gap: float = GAP, at: float = 1.042, size: float = 9, key: str = ""
) -> dict[End, float]:
    """Draws the names right of the plot, `at` in widths of it; `key` above them. End -> its name's height there."""
    to_axes = plot.transAxes.inverted()
    placed = []
    for end in ends:
        x, y = to_axes.transform(plot.transData.transform((plot.get_xlim()[1] if end.x is None else end.x, end.y)))
        placed.append((float(y), float(x), end))
    placed.sort(key=lambda each: (each[0], each[2].text))
    places = spread([y for y, _, _ in placed], gap, 0.0, 1.0)
    for (y, x, end), place in zip(placed, places, strict=True):
        across, up, to = [x, at - 0.007], [y, place], plot.transAxes
        plot.plot(across, up, transform=to, color=end.hue, linewidth=0.7, alpha=0.7, clip_on=False)
        plot.text(at, place, end.text, transform=to, color=end.hue, va="center", fontsize=size, weight="bold")
    if key:
        plot.text(at, 1.05, key, transform=plot.transAxes, color=FAINT, fontsize=8.5, va="center")
    return {end: place for (_, _, end), place in zip(placed, places, strict=True)}


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the ascending `wanted` ones, at least `gap` apart, within low..high as far as there is room."""
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    places = list(wanted)
    for _ in range(200):
        for index in range(1, len(places)):
            overlap = gap - (places[index] - places[index - 1])
            if overlap > 0:
                places[index - 1] -= overlap / 2
                places[index] += overlap / 2
        places = [min(max(place, low), high) for place in places]
    return places
