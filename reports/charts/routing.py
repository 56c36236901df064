"""Who is logged out by a balancer, by method and event; and latency as load rises, a line a strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter

from authbench.analysis.estimate import Estimate
from authbench.analysis.routing import Line
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.charts.latency import STEPS
from reports.charts.names import End, name_ends
from reports.numbers import ms, percent
from reports.palette import FAINT, INK, colour

LOGINS_TITLE = "Users logged out, by balancing method and event"
LOGINS_HOW = (
    "Each client logged in through the balancer, then the event happened, then the client asked a few times more. A "
    "bar is the share of clients who were refused at least once, with the 95 % interval over launches; without one, "
    "every launch counted the same. 'all others' are the strategies whose login every replica can check: the worst of "
    "them is drawn. ip hash is nginx's ip_hash, ip consistent its `hash $remote_addr consistent`."
)
RISE_TITLE = "Latency as load rises: a shared store against local memory behind a cookie"
PANELS: Mapping[str, str] = {
    "none": "no replica comes or goes",
    "joins": "a third replica joins two",
    "leaves": "one of three replicas leaves",
}
BAR = 0.26
ASIDE = 0.006  # of the widest rate, between the intervals of two lines


@dataclass(frozen=True, slots=True)
class Bars:
    """One series of the chart: (method, event) -> share."""

    name: str
    hue: str
    shares: Mapping[tuple[str, str], Estimate]


def logins_chart(series: Sequence[Bars], methods: Sequence[str], foot: str, name: str = "routing-logins") -> Chart:
    """Three panels, one an event; a group of bars each method."""
    height = 1.45 + len(methods) * (0.16 + 0.2 * len(series)) + CAPTION_IN
    figure = canvas(
        LOGINS_TITLE, "share of clients refused at least once after logging in · less is better", height, foot
    )
    events = [event for event in PANELS if any(event == at for each in series for _, at in each.shares)]
    width = 0.83 / max(len(events), 1)
    for place, event in enumerate(events):
        left = 0.145 + place * width
        plot = axes(figure, left, left + width * 0.87, below_in=0.5, above_in=1.12)
        _panel(plot, series, methods, event, first=place == 0)
    _legend(figure, series)
    told = "; ".join(
        f"{each.name}, {method}, {event}: {percent(share.value)}"
        for each in series
        for (method, event), share in each.shares.items()
    )
    return finish(figure, name, LOGINS_TITLE, f"Share of users logged out. {told}.", LOGINS_HOW)


def rise_chart(
    lines: Sequence[Line], places: Mapping[str, str], tail: str, foot: str, name: str = "routing-latency"
) -> Chart:
    """Median and tail against the offered rate; `places`: strategy -> location."""
    subtitle = f"solid {tail}, dotted median, from the intended start · ▼ the knee · less is better"
    figure = canvas(RISE_TITLE, subtitle, 4.6 + CAPTION_IN, foot)
    plot = axes(figure, 0.075, 0.72, below_in=0.5, above_in=0.85)
    plot.set_yscale("log")
    ends: list[End] = []
    widest = max(point.offered_rps for line in lines for point in line.points)
    for number, line in enumerate(lines):
        hue = colour(line.strategy, places.get(line.strategy, ""))
        _line(plot, line, "p50", hue)
        _line(plot, line, tail, hue, aside=widest * ASIDE * (number - (len(lines) - 1) / 2))
        if (knee := line.knee(tail)) is not None:
            plot.plot(knee.offered_rps, knee.quantiles[tail].value.value * 1.22, marker="v", color=hue, markersize=7)
        last = line.points[-1].quantiles[tail].value.value
        ends.append(End(None, last, f"{label(line.strategy, 20)}, {line.method}", hue))
    _scales(plot, lines, tail)
    name_ends(plot, ends, gap=0.055, at=1.027, size=8.8)
    how = (
        "All strategies were offered the same rates, shares of what the slowest serves; arrivals are Poisson's. Thin "
        f"bars are 95 % intervals over launches. The knee is the first rate at which {tail} is over five times that at "
        "the lowest rate, or less than 99 % of the offered requests were answered in time; to its right the queue "
        "decides, not the store. Everything shares one machine: read differences between lines, not the rates."
    )
    return finish(figure, name, RISE_TITLE, _in_words(lines, tail), how)


def _panel(plot: Axes, series: Sequence[Bars], methods: Sequence[str], event: str, *, first: bool) -> None:
    for row, method in enumerate(methods):
        for number, each in enumerate(series):
            share = each.shares.get((method, event))
            if share is None:
                continue
            y = row + (number - (len(series) - 1) / 2) * BAR
            plot.barh(y, share.value, BAR * 0.86, color=each.hue, alpha=0.9)
            end = share.value
            if share.low is not None and share.high is not None and share.low != share.high:
                plot.plot([share.low, share.high], [y, y], color=INK, linewidth=1.1, solid_capstyle="butt")
                end = max(end, share.high)
            plot.text(end + 0.02, y, f"{100 * share.value:.0f} %", va="center", fontsize=8, color=FAINT)
    plot.set_xlim(0, 1.17)
    plot.set_ylim(len(methods) - 0.5, -0.5)
    plot.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1.0]))
    plot.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    plot.set_yticks(range(len(methods)), labels=list(methods) if first else [""] * len(methods))
    plot.tick_params(axis="y", length=0, labelcolor=INK)
    plot.grid(axis="x")
    plot.set_title(PANELS[event], fontsize=9.5, loc="left")
    plot.set_xlabel("users logged out")


def _legend(figure: Figure, series: Sequence[Bars]) -> None:
    height = figure.get_size_inches()[1]
    left = 0.145
    for each in series:
        figure.text(left, 1 - 0.73 / height, "■", color=each.hue, fontsize=10, va="center")
        figure.text(left + 0.017, 1 - 0.73 / height, each.name, fontsize=8.8, color=INK, va="center")
        left += 0.045 + 0.0082 * len(each.name)


def _line(plot: Axes, line: Line, quantile: str, hue: str, aside: float | None = None) -> None:
    """Dotted without intervals; solid with them, drawn `aside` of the point so that those of other lines show too."""
    x = [point.offered_rps for point in line.points]
    found = [point.quantiles[quantile].value for point in line.points]
    if aside is None:
        plot.plot(x, [each.value for each in found], color=hue, linewidth=1.2, linestyle=":")
        return
    plot.plot(x, [each.value for each in found], color=hue, linewidth=1.9, marker="o", markersize=3.5)
    for at, each in zip(x, found, strict=True):
        if each.low is not None and each.high is not None:
            plot.plot([at + aside] * 2, [each.low, each.high], color=hue, linewidth=1, alpha=0.7)


def _scales(plot: Axes, lines: Sequence[Line], tail: str) -> None:
    medians = [point.quantiles["p50"].value for line in lines for point in line.points]
    tails = [point.quantiles[tail].value for line in lines for point in line.points]
    low = min(each.value for each in medians) / 1.25
    # An interval from two launches may span decades: the axis follows the values, such a bar leaves the picture.
    high = max(each.value for each in tails) * 1.6
    plot.set_ylim(low, high)
    ticks = [step * 10.0**power for power in range(-2, 6) for step in STEPS]
    shown = [tick for tick in ticks if low <= tick <= high]
    if len(shown) > 12:
        shown = [tick for tick in shown if f"{tick:.1e}"[:3] in ("1.0", "2.0", "5.0")]
    plot.yaxis.set_major_locator(FixedLocator(shown))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.yaxis.set_minor_locator(NullLocator())
    plot.yaxis.set_minor_formatter(NullFormatter())
    plot.set_xlim(0, max(point.offered_rps for line in lines for point in line.points) * 1.03)
    plot.grid()
    plot.set_xlabel("offered rate (requests/s)")
    plot.set_ylabel("latency from the intended start (ms, log)")


def _in_words(lines: Sequence[Line], tail: str) -> str:
    told = []
    for line in lines:
        first, knee = line.points[0], line.knee(tail)
        end = f"knee at {knee.offered_rps:.0f} requests/s" if knee else "no knee within the rates offered"
        low = ms(first.quantiles[tail].value.value)
        told.append(f"{line.strategy} {tail} {low} ms at {first.offered_rps:.0f} requests/s, {end}")
    return f"Latency against offered rate: {'; '.join(told)}."
