"""What a login costs beside a request, and latency of others while many log in."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from authbench.analysis.estimate import Estimate
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.charts.names import End, name_ends
from reports.numbers import cpu, ms, plus_minus
from reports.palette import INK, TIERS, colour
from reports.sections.growth_found import Seen

COST_TITLE = "CPU of a login by password, beside one request"
COST_HOW = (
    "Dots on a logarithmic scale: the CPU of the whole stack for one login with Django's default hasher (dark), for "
    "one whoami request of the same strategy (light). Whiskers are 95 % intervals over launches of fresh processes."
)
STORM_TITLE = "whoami of users who are logged in, while others log in"
STORM_HOW = (
    "Solid p99, dotted median, of all launches' samples, from the instant a request was due; hollow where fewer than "
    "50 samples lie beyond the quantile, which is then chance in part. Bars are 95 % intervals of p99. Where as many "
    "logins are in flight as the replicas have threads, whoami waits for one of them to end."
)


def cost_chart(costs: Sequence[Seen], foot: str) -> Chart | None:
    """Two dots a strategy, logarithmic; None where no login counts."""
    by: dict[str, dict[str, Estimate]] = {}
    for each in costs:
        if "cpu_ms" in each.values:
            by.setdefault(each.strategy, {})[str(each.levels["endpoint"])] = each.values["cpu_ms"]
    names = [name for name, at in sorted(by.items()) if "login" in at]
    if not names:
        return None
    figure = canvas(
        COST_TITLE, "whole stack, saturated · log scale · less is better", 1.55 + 0.52 * len(names) + CAPTION_IN, foot
    )
    plot = axes(figure, 0.16, 0.97, below_in=0.5, above_in=0.8)
    plot.set_xscale("log")
    for place, name in enumerate(names):
        for shift, endpoint, fill in ((-0.19, "login", TIERS["app"]), (0.19, "whoami", TIERS["cache"])):
            found = by[name].get(endpoint)
            if found is None:
                continue
            if found.low is not None and found.high is not None:
                low = max(found.low, found.value / 100)  # an interval may reach below what a log scale can show
                plot.plot([low, found.high], [place + shift] * 2, color=INK, linewidth=1.1)
            plot.plot(found.value, place + shift, "o", color=fill, markersize=8)
            end = max(found.value, found.high or 0.0)
            plot.text(end * 1.16, place + shift, f"{endpoint} {plus_minus(found)} ms", va="center", fontsize=8.6)
    values = [found.value for at in by.values() for found in at.values()]
    plot.set_xlim(min(values) / 4, max(values) * 8)
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.xaxis.set_minor_formatter(NullFormatter())
    plot.set_ylim(len(names) - 0.5, -0.5)
    plot.set_yticks(range(len(names)), labels=[label(name, 20) for name in names])
    plot.tick_params(axis="y", length=0, labelcolor=INK)
    plot.grid(axis="x")
    plot.set_xlabel("CPU time (ms, log)")
    told = "; ".join(f"{name} {cpu(by[name]['login'].value)} ms" for name in names)
    return finish(figure, "logins-cost", COST_TITLE, f"CPU of a login: {told}.", COST_HOW)


def storm_chart(storms: Sequence[Seen], places: Mapping[str, str], foot: str) -> Chart | None:
    """p50 and p99 of whoami against logins in flight; None where no window counts."""
    lines: dict[str, list[Seen]] = {}
    for each in sorted(storms, key=lambda each: (each.strategy, int(each.levels["in_flight"]))):
        if each.latency:
            lines.setdefault(each.strategy, []).append(each)
    if not lines:
        return None
    figure = canvas(
        STORM_TITLE, "open model, one rate for all · solid p99, dotted p50 · less is better", 4.5 + CAPTION_IN, foot
    )
    plot = axes(figure, 0.085, 0.76, below_in=0.5, above_in=0.8)
    plot.set_yscale("log")
    shown = sorted({int(each.levels["in_flight"]) for line in lines.values() for each in line})
    at = {count: place for place, count in enumerate(shown)}
    ends: list[End] = []
    for strategy, line in lines.items():
        hue = colour(strategy, places.get(strategy, ""))
        for name, style in (("p99", "-"), ("p50", ":")):
            points = [(at[int(each.levels["in_flight"])], each.latency[name]) for each in line if name in each.latency]
            plot.plot([x for x, _ in points], [q.value.value for _, q in points], style, color=hue, linewidth=1.8)
            for x, found in points:
                face = hue if found.supported else "white"
                if name == "p99" and found.value.low is not None and found.value.high is not None:
                    plot.plot([x, x], [found.value.low, found.value.high], color=hue, linewidth=1, alpha=0.7)
                plot.plot(x, found.value.value, "o", color=hue, markerfacecolor=face, markersize=5)
            if name == "p99" and points:
                ends.append(End(points[-1][0], points[-1][1].value.value, label(strategy, 20), hue))
    plot.set_xticks(range(len(shown)), labels=["none" if not each else str(each) for each in shown])
    plot.set_xlim(-0.25, len(shown) - 0.75)
    _log_ms(plot, [q.value.value for line in lines.values() for each in line for q in each.latency.values()])
    plot.grid()
    plot.set_xlabel("logins in flight all the time")
    plot.set_ylabel("latency of whoami (ms, log)")
    name_ends(plot, ends, gap=0.062, at=1.028, size=8.8, key="○ too few samples")
    told = "; ".join(f"{strategy} {_told(line)}" for strategy, line in lines.items())
    return finish(figure, "logins-storm", STORM_TITLE, f"Latency of whoami during logins: {told}.", STORM_HOW)


def _told(line: Sequence[Seen]) -> str:
    return ", ".join(f"p50 {ms(each.latency['p50'].value.value)} ms with {each.levels['in_flight']}" for each in line)


def _log_ms(plot: Axes, values: Sequence[float]) -> None:
    low, high = min(values) / 1.4, max(values) * 1.6
    plot.set_ylim(low, high)
    ticks = [step * 10.0**power for power in range(-2, 6) for step in (1, 2, 5)]
    plot.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    plot.yaxis.set_minor_locator(NullLocator())
