"""What became of requests while keys were rotated: a panel each strategy and way, the steps marked."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from authbench.analysis.rotation import Rotated
from authbench.experiments.rotation.plan import WAYS
from authbench.experiments.rotation.timeline import BIN_S, Seen, Timeline
from reports.charts.canvas import CAPTION_IN, Chart, canvas, finish, label
from reports.palette import FAINT, INK

TITLES = {
    "hs256": "Rotating an HS256 secret under load",
    "secret key": "Rotating Django's SECRET_KEY under load",
    "jwks": "Rotating published keys (JWKS) under load",
}
HOW = (
    "One launch a panel, the first. Bars are requests sent in each quarter of a second, by how they ended. Grey bands "
    "are the steps, from when the first replica left the balancer until the last was back: accept the new key, sign "
    "with it, drop the old one. The dashed line is when every replica refused credentials made with the old key. A "
    "request is wrongly refused where its credential's key was still, or already, promised to be accepted."
)
PARTS: tuple[tuple[Seen, str, str], ...] = (
    ("ok old", "#56B4E9", "answered, old key"),
    ("ok new", "#009E73", "answered, new key"),
    ("refused", "#8A929C", "refused after the drop"),
    ("wrongly", "#D55E00", "wrongly refused"),
    ("lost", INK, "failed or lost"),
)
LEFT, RIGHT, GAP = 0.155, 0.985, 0.022
ROW_IN, ROW_GAP_IN, ABOVE_IN, BELOW_IN = 0.92, 0.3, 1.15, 0.2


def rotation_chart(rows: Sequence[Rotated], key: str, foot: str) -> Chart | None:
    """All rotations of one family of keys; None where no timeline was kept."""
    drawn = [row for row in rows if row.key == key and row.timeline is not None]
    if not drawn:
        return None
    names = list(dict.fromkeys(map(_name, drawn)))
    ways = [way for way in WAYS if any(row.way == way for row in drawn)]
    height = ABOVE_IN + len(names) * (ROW_IN + ROW_GAP_IN) + BELOW_IN + CAPTION_IN
    title = TITLES.get(key, key)
    figure = canvas(title, "requests by when they were sent and how they ended · one launch", height, foot)
    _legend(figure)
    by = {(_name(row), row.way): row for row in drawn}
    last_s = {way: max(_length_s(row.timeline) for row in drawn if row.way == way) for way in ways}
    total = sum(last_s.values())
    room = RIGHT - LEFT - GAP * (len(ways) - 1)
    most = max(max(_heights(row.timeline)) for row in drawn)
    for line, name in enumerate(names):
        top = height - ABOVE_IN - line * (ROW_IN + ROW_GAP_IN)
        left = LEFT
        shown = label(name, 34).replace(", ", "\n")
        figure.text(left - 0.03, (top - ROW_IN / 2) / height, shown, fontsize=9, color=INK, ha="right", va="center")
        for way in ways:
            width = room * last_s[way] / total
            plot = figure.add_axes((left, (top - ROW_IN) / height, width, ROW_IN / height))
            left += width + GAP
            row = by.get((name, way))
            if row is None or row.timeline is None:
                plot.axis("off")
                continue
            _panel(plot, row.timeline, most, last_s[way])
            plot.tick_params(labelleft=way == ways[0], labelbottom=line == len(names) - 1)
            if line == 0:
                plot.set_title(way, fontsize=9.5, loc="left", pad=14)
            if line == len(names) - 1:
                plot.set_xlabel("seconds")
    return finish(figure, f"rotation-{key.replace(' ', '-')}", title, _in_words(drawn), HOW)


def _name(row: Rotated) -> str:
    told = [row.strategy]
    told += ["2 requests a page"] if row.page > 1 else []
    told += [row.secrets] if row.secrets != "environment" else []
    return ", ".join(told)


def _panel(plot: Axes, timeline: Timeline, most: int, last_s: float) -> None:
    for mark in timeline.marks:
        plot.axvspan(mark.began_s, max(mark.ended_s, mark.began_s + BIN_S / 2), color="#EEF1F4", zorder=0, linewidth=0)
        plot.text(mark.began_s, most * 1.04, mark.step, fontsize=7.5, color=FAINT, va="bottom", ha="left")
    at = [place * BIN_S for place in range(len(timeline.counts["ok old"]))]
    floor = [0] * len(at)
    for seen, hue, _ in PARTS:
        counts = timeline.counts[seen]
        plot.bar(at, counts, BIN_S, floor, align="edge", color=hue, linewidth=0)
        floor = [below + count for below, count in zip(floor, counts, strict=True)]
    if timeline.old_refused_at_s is not None:
        plot.axvline(timeline.old_refused_at_s, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    plot.set_ylim(0, most * 1.02)
    plot.set_xlim(0, last_s)
    plot.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    plot.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    plot.tick_params(labelsize=8)


def _legend(figure: Figure) -> None:
    height = figure.get_size_inches()[1]
    left = 0.012
    for _, hue, name in PARTS:
        figure.text(left, 1 - 0.7 / height, "■", color=hue, fontsize=10, va="center")
        figure.text(left + 0.017, 1 - 0.7 / height, name, fontsize=8.6, color=INK, va="center")
        left += 0.036 + 0.0066 * len(name)
    figure.text(left, 1 - 0.7 / height, "┆ old key refused everywhere", fontsize=8.6, color=INK, va="center")


def _heights(timeline: Timeline | None) -> list[int]:
    assert timeline is not None
    return [sum(column) for column in zip(*timeline.counts.values(), strict=True)]


def _length_s(timeline: Timeline | None) -> float:
    assert timeline is not None
    ends = [mark.ended_s for mark in timeline.marks]
    return max([len(timeline.counts["ok old"]) * BIN_S, *ends])


def _in_words(rows: Sequence[Rotated]) -> str:
    told = "; ".join(
        f"{_name(row)}, {row.way}: {row.wrongly} of {row.requests} requests wrongly refused, "
        f"{row.out} of {row.users} users logged out"
        for row in rows
    )
    return f"How requests ended while keys were rotated; over all launches: {told}."
