"""Charts of scaling: database connections against replicas, and throughput with the law that was fitted to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from authbench.analysis.connections import DEFAULT_LIMIT
from authbench.analysis.scaling import Usl
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish
from reports.charts.names import KEY, End, name_ends, strategy_end
from reports.palette import FAINT, LIMIT, colour

CONNECTIONS = "Database connections against replicas"
THROUGHPUT = "Throughput against replicas"
HOW_CONNECTIONS = (
    "Each mark is the most connections that a strategy's replicas held at once, over all launches. A strategy on a "
    "line through the origin asks for so many connections with every replica, busy or not; the dashed grey line is "
    "what replicas, workers and threads allow it. Where a line meets the red one, PostgreSQL refuses."
)
HOW_THROUGHPUT = (
    "Marks are means over launches with their range, the line is the Universal Scalability Law fitted to them. The "
    "dotted line is what twice the replicas would give if nothing were shared. Every replica has the same CPU budget."
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One strategy's values by number of replicas."""

    strategy: str
    location: str
    freshness: str
    values: Mapping[int, Sequence[float]]  # replicas -> a value a launch
    fitted: Usl | None = None


def connections_chart(curves: Sequence[Curve], allowed: int, foot: str) -> Chart:
    """`allowed`: workers × threads of one replica. Both axes are logarithmic, so that strategies without
    connections stand at the foot."""
    figure = canvas(CONNECTIONS, "peak of all launches · less is better", 5.0 + CAPTION_IN, foot)
    plot = axes(figure, 0.075, 0.735, below_in=0.5, above_in=0.85)
    counts = sorted({count for curve in curves for count in curve.values})
    peaks = {curve.strategy: {n: max(v) for n, v in curve.values.items()} for curve in curves}
    top = max(DEFAULT_LIMIT, allowed * max(counts), *(peak for by in peaks.values() for peak in by.values()))
    plot.set_yscale("symlog", linthresh=1, linscale=0.5)
    plot.plot(counts, [allowed * n for n in counts], color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    plot.axhline(DEFAULT_LIMIT, color=LIMIT, linewidth=1.4)
    text = f"max_connections, PostgreSQL's default: {DEFAULT_LIMIT}"
    plot.text(counts[0], DEFAULT_LIMIT * 1.08, text, color=LIMIT, fontsize=8.5)
    for curve in curves:
        by = peaks[curve.strategy]
        style = "-" if curve.freshness == "row" else (0, (4, 2))
        hue = colour(curve.strategy, curve.location)
        plot.plot(list(by), list(by.values()), color=hue, linewidth=1.8, linestyle=style, marker="o", markersize=5)
    _scale(plot, counts, "replicas", "database connections, peak (log above 1)")
    ticks = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    plot.set_ylim(-0.25, top * 1.5)
    _ticks(plot, [tick for tick in ticks if tick <= top * 1.5])
    name_ends(plot, [_end(curve, float(peaks[curve.strategy][max(curve.values)])) for curve in curves], key=KEY)
    told = "; ".join(
        f"{curve.strategy} {', '.join(f'{peaks[curve.strategy][n]:.0f} at {n}' for n in sorted(curve.values))}"
        for curve in curves
    )
    return finish(
        figure, "replicas-connections", CONNECTIONS, f"Peak connections by replicas: {told}.", HOW_CONNECTIONS
    )


def throughput_chart(curves: Sequence[Curve], foot: str, budget: str) -> Chart:
    """Both axes logarithmic: doubling is a step of the same size everywhere."""
    figure = canvas(THROUGHPUT, f"closed model · {budget} a replica · more is better", 5.0 + CAPTION_IN, foot)
    plot = axes(figure, 0.075, 0.735, below_in=0.5, above_in=0.85)
    plot.set_yscale("log")
    counts = sorted({count for curve in curves for count in curve.values})
    for curve in curves:
        hue = colour(curve.strategy, curve.location)
        means = {n: fmean(v) for n, v in sorted(curve.values.items())}
        spans = [(means[n] - min(v), max(v) - means[n]) for n, v in sorted(curve.values.items())]
        errors = np.array(spans).T
        plot.errorbar(list(means), list(means.values()), yerr=errors, fmt="o", color=hue, markersize=4.5, elinewidth=1)
        if curve.fitted is not None:
            grid = np.geomspace(counts[0], counts[-1], 60)
            plot.plot(grid, [curve.fitted.predicted_rps(float(n)) for n in grid], color=hue, linewidth=1.5)
            ideal = [curve.fitted.one_rps.value * n for n in (counts[0], counts[-1])]
            plot.plot((counts[0], counts[-1]), ideal, color=hue, linewidth=0.7, linestyle=":")
    values = [value for curve in curves for by in curve.values.values() for value in by]
    _scale(plot, counts, "replicas", "right answers a second (log)")
    low, high = min(values) / 1.3, max(values) * 1.5
    plot.set_ylim(low, high)
    _ticks(plot, [s * 10.0**p for p in range(6) for s in (1, 2, 5) if low <= s * 10.0**p <= high])
    last = counts[-1]
    served = [(curve, fmean(curve.values[last])) for curve in curves if curve.values.get(last)]
    name_ends(plot, [_end(curve, rate) for curve, rate in served], key=KEY)
    told = "; ".join(f"{curve.strategy} {rate:.0f}/s at {last}" for curve, rate in served)
    return finish(figure, "replicas-throughput", THROUGHPUT, f"Throughput by replicas: {told}.", HOW_THROUGHPUT)


def _end(curve: Curve, value: float) -> End:
    return strategy_end(max(curve.values), value, curve.strategy, curve.location, curve.freshness)


def _scale(plot: Axes, counts: Sequence[int], across: str, up: str) -> None:
    plot.set_xscale("log", base=2)
    plot.set_xlim(counts[0] / 1.12, counts[-1] * 1.08)
    plot.xaxis.set_major_locator(FixedLocator(list(counts)))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.set_xlabel(across)
    plot.set_ylabel(up)
    plot.grid()


def _ticks(plot: Axes, ticks: Sequence[float]) -> None:
    plot.yaxis.set_major_locator(FixedLocator(list(ticks)))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.yaxis.set_minor_locator(NullLocator())
    plot.yaxis.set_minor_formatter(NullFormatter())
