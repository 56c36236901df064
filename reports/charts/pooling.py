"""Charts of pooling: connections held against what the formula promises, and what each way costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from authbench.analysis.connections import DEFAULT_LIMIT
from authbench.analysis.estimate import Estimate
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.palette import FAINT, INK, LIMIT, RULE, colour

HELD, COST = "Database connections held, against the formula", "What a way to pool costs"
HOW_HELD = (
    "A line a way to serve and to pool. The grey bar reaches to what the formula promises, each mark is the most "
    "connections that one strategy's replicas held, over all launches. A mark right of its bar has left the formula "
    "behind; beyond the red line PostgreSQL as installed refuses. The scale is logarithmic above 1."
)
HOW_COST = (
    "A line a way to serve and to pool, a mark a strategy, with its 95 % interval over launches of fresh processes. "
    "Left: CPU of the whole stack for a right answer, saturated. Right, where the open model ran: median latency at "
    "the same rate for all. Both scales are logarithmic."
)
ROW_IN = 0.33


@dataclass(frozen=True, slots=True)
class Contestant:
    """A strategy as charts show it."""

    name: str
    location: str
    freshness: str


@dataclass(frozen=True, slots=True)
class Line:
    """One way to serve and to pool, and what was measured there, by strategy."""

    serving: str
    name: str
    expected: int
    peaks: Mapping[str, int]
    cpu_ms: Mapping[str, Estimate]
    p50_ms: Mapping[str, Estimate]


def held_chart(lines: Sequence[Line], contestants: Sequence[Contestant], own_limit: int | None, foot: str) -> Chart:
    """`own_limit`: connections that this stack's PostgreSQL lets in; None where it is not known."""
    figure = canvas(
        HELD, "peak of all launches, a strategy · filled: reads the user row · less is better", _height(lines), foot
    )
    plot = axes(figure, 0.2, 0.985, below_in=0.5, above_in=1.0)
    top = max(DEFAULT_LIMIT, own_limit or 0, *(max((line.expected, *line.peaks.values())) for line in lines))
    plot.set_xscale("symlog", linthresh=1, linscale=0.4)
    plot.set_xlim(-0.15, top * 1.6)
    for place, line in enumerate(lines):
        plot.barh(place, line.expected, height=0.62, color=RULE, zorder=1)
        plot.plot([line.expected] * 2, [place - 0.36, place + 0.36], color=FAINT, linewidth=1.6, zorder=2)
        for offset, each in _placed(contestants):
            if each.name in line.peaks:
                _mark(plot, line.peaks[each.name], place + offset, each)
        most = max(line.peaks.values(), default=0)
        if most > line.expected:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            plot.text(most * 1.1, place, f"{most}", va="center", fontsize=8.5, color=INK, weight="bold", bbox=box)
    plot.axvline(DEFAULT_LIMIT, color=LIMIT, linewidth=1.4, zorder=2)
    shown = [(DEFAULT_LIMIT, f"PostgreSQL's default: {DEFAULT_LIMIT}")]
    if own_limit:
        plot.axvline(own_limit, color=LIMIT, linewidth=1, linestyle=":", zorder=2)
        shown.append((own_limit, f"here: {own_limit}"))
    for at, text in shown:
        plot.text(at, -0.72, text, color=LIMIT, fontsize=8, ha="right" if at == DEFAULT_LIMIT else "left")
    _rows(plot, lines)
    ticks = [tick for tick in (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if tick <= top * 1.6]
    _ticks(plot, ticks)
    plot.set_xlabel("connections of one strategy at the database, peak (log above 1)")
    _legend(plot, contestants, -0.225)
    told = "; ".join(
        f"{line.name} expected {line.expected}, "
        + ", ".join(f"{name} {peak}" for name, peak in sorted(line.peaks.items()))
        for line in lines
    )
    return finish(figure, "pooling-connections", HELD, f"Peak connections by way to pool: {told}.", HOW_HELD)


def cost_chart(lines: Sequence[Line], contestants: Sequence[Contestant], foot: str) -> Chart | None:
    """None where no CPU counts."""
    if not any(line.cpu_ms for line in lines):
        return None
    rated = any(line.p50_ms for line in lines)
    figure = canvas(
        COST,
        "mean over launches with its 95 % interval · filled: reads the user row · less is better",
        _height(lines),
        foot,
    )
    plot = axes(figure, 0.2, 0.575 if rated else 0.985, below_in=0.5, above_in=1.0)
    _estimates(plot, [line.cpu_ms for line in lines], contestants)
    _rows(plot, lines)
    plot.set_xlabel("CPU a request, whole stack (ms, log)")
    _legend(plot, contestants, -0.47 if rated else -0.225)
    if rated:
        right = axes(figure, 0.61, 0.985, below_in=0.5, above_in=1.0)
        _estimates(right, [line.p50_ms for line in lines], contestants)
        _rows(right, lines, named=False)
        right.set_xlabel("p50 latency at the same rate (ms, log)")
    told = "; ".join(
        f"{line.name} " + ", ".join(f"{name} {each.value:.2f} ms" for name, each in sorted(line.cpu_ms.items()))
        for line in lines
        if line.cpu_ms
    )
    return finish(figure, "pooling-cost", COST, f"CPU a request by way to pool: {told}.", HOW_COST)


def _height(lines: Sequence[Line]) -> float:
    return 1.95 + ROW_IN * len(lines) + CAPTION_IN


def _placed(contestants: Sequence[Contestant]) -> list[tuple[float, Contestant]]:
    """Marks of one line side by side, so that equal ones do not hide each other."""
    step = min(0.2, 0.6 / max(len(contestants), 1))
    return [(step * (n - (len(contestants) - 1) / 2), each) for n, each in enumerate(contestants)]


def _mark(plot: Axes, value: float, place: float, each: Contestant) -> None:
    hue = colour(each.name, each.location)
    fill = hue if each.freshness == "row" else "white"
    plot.plot([value], [place], "o", color=hue, markerfacecolor=fill, markersize=5.5, markeredgewidth=1.5, zorder=3)


def _estimates(plot: Axes, rows: Sequence[Mapping[str, Estimate]], contestants: Sequence[Contestant]) -> None:
    values = [bound for row in rows for each in row.values() for bound in _bounds(each)]
    low, high = min(values) / 1.25, max(values) * 1.25
    plot.set_xscale("log")
    plot.set_xlim(low, high)
    for place, row in enumerate(rows):
        for offset, each in _placed(contestants):
            if each.name in row:
                bounds, hue = _bounds(row[each.name]), colour(each.name, each.location)
                plot.plot([min(bounds), max(bounds)], [place + offset] * 2, color=hue, linewidth=1.2)
                _mark(plot, row[each.name].value, place + offset, each)
    steps = [step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5)]
    _ticks(plot, [step for step in steps if low <= step <= high])


def _bounds(estimate: Estimate) -> tuple[float, ...]:
    """Value and interval; a bound that has no logarithm stands at a tenth of the value."""
    if estimate.low is None or estimate.high is None:
        return (estimate.value,)
    return (estimate.value, max(estimate.low, estimate.value / 10), estimate.high)


def _rows(plot: Axes, lines: Sequence[Line], *, named: bool = True) -> None:
    plot.set_ylim(len(lines) - 0.4, -0.6)
    plot.set_yticks(range(len(lines)), [label(line.name, 28) for line in lines] if named else [])
    plot.tick_params(axis="y", length=0, colors=INK)
    for (place, one), (_, other) in pairwise(enumerate(lines)):
        if one.serving != other.serving:
            plot.axhline(place + 0.5, color=RULE, linewidth=0.8)
    plot.grid(axis="x")


def _ticks(plot: Axes, ticks: Sequence[float]) -> None:
    plot.xaxis.set_major_locator(FixedLocator(list(ticks)))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_minor_formatter(NullFormatter())


def _legend(plot: Axes, contestants: Sequence[Contestant], left: float) -> None:
    handles = []
    for each in contestants:
        hue = colour(each.name, each.location)
        handles += plot.plot(
            [],
            [],
            "o",
            color=hue,
            markerfacecolor=hue if each.freshness == "row" else "white",
            markersize=6,
            markeredgewidth=1.5,
            label=label(each.name, 22),
        )
    plot.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(left, 1.03),
        ncols=min(len(handles), 5),
        frameon=False,
        fontsize=8.5,
        handlelength=0.8,
        columnspacing=1.3,
        borderaxespad=0.0,
    )
