"""Latency by percentile at one open-model rate, on the scale of nines."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from authbench.analysis.counted import counted, of_strategy, other_levels
from authbench.analysis.findings import Comparison
from authbench.analysis.latency import curve
from authbench.records import Trial
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish
from reports.charts.names import KEY, name_ends, strategy_end
from reports.palette import colour

TITLE = "Latency by percentile"
HOW = (
    "Read upwards from a percentile: so many of all requests were answered within that time, counted from the instant "
    "they were due, so that a stall is charged in full. All strategies got the same rate. A curve ends where fewer "
    "than 50 samples lie beyond it: further right would be chance. Solid reads the user row, dashed does not."
)
NINES = {"50 %": 0.30103, "90 %": 1.0, "99 %": 2.0, "99.9 %": 3.0, "99.99 %": 4.0}
STEPS = (1, 1.5, 2, 3, 4, 5, 7)
Curve = tuple[tuple[float, float], ...]


def latency_chart(comparison: Comparison, trials: Sequence[Trial], foot: str, name: str = "latency") -> Chart | None:
    """Curves at the lowest open-model rate; None where no curve is supported."""
    loads = sorted({(latency.rate_rps, latency.load) for row in comparison.rows for latency in row.latency})
    if not loads:
        return None
    rate, load = loads[0]
    here = [t for t in counted(trials) if dict(other_levels(t)) == dict(comparison.levels)]
    curves = [(row, curve(of_strategy(here, row.strategy), load)) for row in comparison.rows]
    curves = [(row, points) for row, points in curves if points]
    if not curves:
        return None
    figure = canvas(
        TITLE, f"{comparison.title} · open model, {rate:.0f} requests/s · less is better", 4.9 + CAPTION_IN, foot
    )
    plot = axes(figure, 0.075, 0.735, below_in=0.5, above_in=0.85)
    plot.set_yscale("log")
    for row, points in curves:
        x, y = zip(*points, strict=True)
        (line,) = plot.plot(x, y, color=colour(row.strategy, row.location), linewidth=1.9)
        if row.freshness != "row":
            line.set_dashes([4, 2])
    _scales(plot, [points for _, points in curves])
    ends = [strategy_end(*points[-1], row.strategy, row.location, row.freshness) for row, points in curves]
    name_ends(plot, ends, key=KEY)
    told = ", ".join(f"{row.strategy} p50 {row.latency[0].quantiles['p50'].value.value:.2f} ms" for row, _ in curves)
    return finish(figure, name, f"{TITLE}: {comparison.title}", f"Percentile curves of latency: {told}.", HOW)


def _scales(plot: Axes, curves: Sequence[Curve]) -> None:
    right = max(points[-1][0] for points in curves)
    low = min(value for points in curves for _, value in points)
    high = max(value for points in curves for _, value in points)
    shown = {text: at for text, at in NINES.items() if at <= right + 0.15}
    plot.set_xlim(NINES["50 %"] - 0.02, right + 0.02)
    plot.xaxis.set_major_locator(FixedLocator(list(shown.values())))
    plot.set_xticklabels(list(shown))
    plot.set_ylim(low / 1.12, high * 1.12)
    ticks = [step * 10.0**power for power in range(-3, 6) for step in STEPS]
    plot.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low / 1.12 <= tick <= high * 1.12]))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.yaxis.set_minor_locator(NullLocator())
    plot.yaxis.set_minor_formatter(NullFormatter())
    plot.grid()
    plot.set_xlabel("share of requests answered within that time (scale of nines)")
    plot.set_ylabel("latency from the intended start (ms, log)")
