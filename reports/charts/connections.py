"""Database connections over time, by replica: what a pool or a proxy has to hold."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from authbench.analysis.counted import counted, of_strategy, other_levels
from authbench.analysis.findings import Comparison, Row
from authbench.records import Sample, Trial
from reports.charts.canvas import CAPTION_IN, Chart, canvas, finish, label
from reports.numbers import count
from reports.palette import FAINT, FRESHNESS_MARK, colour

TITLE = "Database connections over time, by replica"
HOW = (
    "One panel a strategy: connections open at the database during the window that held most of them, stacked by "
    "replica (a shade each). What counts for a pool's size is the peak, and that it grows with every replica."
)
COLUMNS = 5
LINE_IN = 1.72  # height of a line of panels


def connections_chart(
    comparison: Comparison, trials: Sequence[Trial], series: Sequence[Sample], foot: str, name: str = "connections"
) -> Chart | None:
    """Small multiples on one scale; None where nothing was sampled."""
    here = [t for t in counted(trials) if dict(other_levels(t)) == dict(comparison.levels)]
    by_trial: dict[int, list[Sample]] = {}
    for sample in series:
        by_trial.setdefault(sample.trial, []).append(sample)
    panels = [
        (row, samples) for row in comparison.rows if (samples := _fullest(of_strategy(here, row.strategy), by_trial))
    ]
    if not panels:
        return None
    lines = math.ceil(len(panels) / COLUMNS)
    height = 0.85 + LINE_IN * lines + CAPTION_IN
    figure = canvas(TITLE, f"{comparison.title} · the window with most connections, a strategy", height, foot)
    top = max(1, *(_open(sample) for _, samples in panels for sample in samples))
    for index, (row, samples) in enumerate(panels):
        _panel(figure, index, lines, row, samples, top)
    told = ", ".join(f"{row.strategy} {max(_open(s) for s in samples)}" for row, samples in panels)
    return finish(figure, name, f"{TITLE}: {comparison.title}", f"Connections at the peak: {told}.", HOW)


def _panel(figure: Figure, index: int, lines: int, row: Row, samples: Sequence[Sample], top: int) -> None:
    height = figure.get_size_inches()[1]
    line, column = divmod(index, COLUMNS)
    width = 0.93 / COLUMNS
    bottom = (CAPTION_IN + 0.5 + (lines - 1 - line) * LINE_IN) / height
    plot = figure.add_axes((0.062 + column * width, bottom, width * 0.84, 0.88 / height))
    times = [sample.at_s for sample in samples]
    replicas = sorted({replica for sample in samples for replica in sample.connections})
    stacks = [[sum(sample.connections.get(replica, {}).values()) for sample in samples] for replica in replicas]
    hue = colour(row.strategy, row.location)
    floor = [0] * len(samples)
    for number, stack in enumerate(stacks):
        ceiling = [a + b for a, b in zip(floor, stack, strict=True)]
        shade = 0.85 if number % 2 == 0 else 0.5
        plot.fill_between(times, floor, ceiling, step="post", color=hue, alpha=shade, linewidth=0)
        floor = ceiling
    plot.step(times, floor, where="post", color=hue, linewidth=1.2)
    plot.set_ylim(0, top * 1.12)
    plot.set_xlim(0, max(*times, 1e-3))
    plot.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    plot.xaxis.set_major_locator(MaxNLocator(nbins=3))
    plot.grid(axis="y")
    mark = FRESHNESS_MARK.get(row.freshness, "")
    plot.text(0, 1.2, mark, transform=plot.transAxes, fontsize=10, color=hue)
    plot.text(0.1, 1.2, label(row.strategy, 22), transform=plot.transAxes, fontsize=9)
    told = f"peak {max(floor)} · mean {count(row.connections_mean)}" if max(floor) else "none open"
    plot.text(
        0,
        1.04,
        told,
        transform=plot.transAxes,
        fontsize=8,
        color=FAINT,
    )
    if column == 0:
        plot.set_ylabel("connections", fontsize=8.5)
    else:
        plot.tick_params(labelleft=False)
    plot.set_xlabel("time in window (s)", fontsize=8)


def _fullest(trials: Sequence[Trial], by_trial: Mapping[int, Sequence[Sample]]) -> list[Sample]:
    """Samples of the trial in which most connections were open at once; the first of several."""
    sampled = [sorted(by_trial[t.trial], key=lambda s: s.at_s) for t in trials if by_trial.get(t.trial)]
    return max(sampled, key=lambda samples: max(_open(sample) for sample in samples), default=[])


def _open(sample: Sample) -> int:
    return sum(count for states in sample.connections.values() for count in states.values())
