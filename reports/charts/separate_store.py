"""Chart of a session table on a server of its own: connections at each server, beside one server for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.palette import FAINT, FRESHNESS_MARK, INK, RULE, TIERS, colour

TITLE = "Database connections at each server"
HOW = (
    "Two bars a strategy: with sessions beside the users, and with sessions on a server of their own. Dark is the "
    "first server, light the sessions' own; lengths are the most connections held at once, added over the two. A bar "
    "twice as long as the one above it is a strategy whose requests need both servers."
)
FIRST, SECOND = TIERS["app"], TIERS["auth"]
ROW_IN = 0.52


@dataclass(frozen=True, slots=True)
class Pair:
    """One strategy's connections at the peak."""

    strategy: str
    location: str
    freshness: str
    held: Mapping[str, tuple[int, int]]  # level of session_store -> connections at the first server, at the sessions'


def separate_chart(pairs: Sequence[Pair], subtitle: str, foot: str, name: str) -> Chart:
    """Two stacked bars a strategy, in the order given; at least one strategy."""
    height = 1.95 + ROW_IN * len(pairs) + CAPTION_IN
    figure = canvas(TITLE, f"{subtitle} · peak of all launches · less is better", height, foot)
    plot = axes(figure, 0.3, 0.985, below_in=0.5, above_in=1.0)
    furthest = max(1, *(sum(each) for pair in pairs for each in pair.held.values()))
    for place, pair in enumerate(pairs):
        _pair(plot, place, pair, furthest)
    plot.set_ylim(len(pairs) - 0.45, -0.55)
    plot.set_xlim(0, furthest * 1.16)
    plot.set_yticks([])
    plot.spines["left"].set_visible(False)
    plot.xaxis.set_major_locator(MaxNLocator(integer=True))
    plot.grid(axis="x")
    plot.set_xlabel("connections of one strategy, peak")
    handles = [
        plot.barh([0], [0], color=FIRST, label="the users' server"),
        plot.barh([0], [0], color=SECOND, label="the sessions' own server"),
    ]
    plot.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, handlelength=1.0
    )
    figure.text(
        0.012, 1 - 0.86 / height, "● reads the user row   ○ claims only", fontsize=8.5, color=FAINT, va="center"
    )
    told = "; ".join(
        f"{pair.strategy} " + ", ".join(f"{level} {first} + {second}" for level, (first, second) in pair.held.items())
        for pair in pairs
    )
    return finish(figure, name, f"{TITLE}: {subtitle}", f"Connections, users' server + sessions' server: {told}.", HOW)


def _pair(plot: Axes, place: int, pair: Pair, furthest: int) -> None:
    frame = plot.get_yaxis_transform()
    hue = colour(pair.strategy, pair.location)
    plot.text(
        -0.43, place, FRESHNESS_MARK.get(pair.freshness, ""), transform=frame, va="center", color=hue, fontsize=11
    )
    plot.text(-0.4, place, label(pair.strategy, 24), transform=frame, va="center")
    for offset, level in ((-0.18, "shared"), (0.18, "separate")):
        plot.text(-0.012, place + offset, level, transform=frame, va="center", ha="right", fontsize=8.5, color=FAINT)
        if level not in pair.held:
            plot.text(furthest * 0.01, place + offset, "not measured", va="center", fontsize=8.5, color=FAINT)
            continue
        first, second = pair.held[level]
        plot.barh(place + offset, first, height=0.3, color=FIRST)
        plot.barh(place + offset, second, left=first, height=0.3, color=SECOND)
        text = f"{first} + {second}" if level == "separate" else f"{first}"
        plot.text(first + second + furthest * 0.01, place + offset, text, va="center", fontsize=8.5, color=INK)
    plot.axhline(place + 0.5, color=RULE, linewidth=0.6)
