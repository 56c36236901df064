"""Charts of services that call each other: calls to the auth tier, and latency, against the number of services."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from authbench.analysis.estimate import Estimate
from authbench.analysis.services import Course, Seen
from authbench.experiments.services.measures import AUTH_CALLS
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish
from reports.charts.names import spread
from reports.numbers import count, half_width, ms
from reports.palette import FAINT, GREY

CALLS_TITLE = "Auth-tier calls of one user request"
CALLS_HOW = (
    "Read to the right: a request passes more services, each of which checks the caller. Read upwards: SQL statements "
    "to the auth database, or requests to the auth service, that all of them together make for it. Filled dots are "
    "chains; rings are fan-outs, whose entry checks the caller too. Counted by PostgreSQL and by the auth service over "
    "a known number of requests: there is nothing to estimate. Lines on the same place are drawn a little apart."
)
LATENCY_TITLE = "Median latency against the length of a chain"
LATENCY_HOW = (
    "A dot is the median over all launches, its whisker the 95 % interval over launches of fresh processes. Behind a "
    "name stands what one more service adds, with half its interval. All ways got the same requests at the same rate, "
    "evenly spaced, so that none waits for another. All processes share this machine's cores and talk over loopback: "
    "a network between them would add its own round trip to each hop, and to each call. A ring has an interval wider "
    "than the value itself (or none): it says little."
)
COLOURS: Mapping[str, str] = {
    "session": "#0072B2",
    "introspection": "#D55E00",
    "exchanged-jwt": "#009E73",
    "forwarded-jwt": "#CC79A7",
    "edge-header": "#B98500",
}
HEIGHT_IN = 4.9
LEFT, RIGHT = 0.075, 0.655
GAP = 0.062  # of the axes' height: the least between two names
APART = 0.012  # of the axes' height: between lines on the same place


def calls_chart(courses: Sequence[Course], foot: str) -> Chart | None:
    """None where nothing was counted."""
    shown = [each for each in courses if any(seen.count(AUTH_CALLS) is not None for seen in each.seen)]
    if not shown:
        return None
    figure = canvas(CALLS_TITLE, "exact counts · less is better", HEIGHT_IN + CAPTION_IN, foot)
    plot = axes(figure, LEFT, RIGHT, below_in=0.5, above_in=0.85)
    top = max(seen.count(AUTH_CALLS) or 0 for course in shown for seen in course.seen) or 1
    lines = {course.checking: [seen.count(AUTH_CALLS) for seen in course.seen] for course in shown}
    ends = []
    for course in shown:
        hue = COLOURS.get(course.checking, GREY)
        same = [name for name in lines if lines[name] == lines[course.checking]]
        aside = APART * 1.1 * top * (same.index(course.checking) - (len(same) - 1) / 2)
        points = [(seen, calls + aside) for seen in course.seen if (calls := seen.count(AUTH_CALLS)) is not None]
        chain = [(seen.services, at) for seen, at in points if seen.is_chain]
        plot.plot([n for n, _ in chain], [at for _, at in chain], color=hue, linewidth=1.8)
        for seen, at in points:
            inside = hue if seen.is_chain else "white"
            plot.plot([seen.services], [at], "o", color=hue, markerfacecolor=inside, markersize=6.5, zorder=3)
        ends.append((chain or [(seen.services, at) for seen, at in points])[-1])
    _across(plot, shown, "services that a request passes (chain ●, fan-out ○)")
    plot.set_ylim(-0.06 * top, 1.08 * top)
    plot.yaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
    plot.set_ylabel("auth-tier calls a user request")
    _names(plot, shown, ends, _law)
    told = "; ".join(f"{each.checking} {_law(each)}" for each in shown)
    return finish(figure, "services-calls", CALLS_TITLE, f"Auth-tier calls a user request: {told}.", CALLS_HOW)


def latency_chart(courses: Sequence[Course], foot: str) -> Chart | None:
    """None where no way has two chains that count."""
    shown = [each for each in courses if len(_timed(each)) > 1]
    if not shown:
        return None
    figure = canvas(LATENCY_TITLE, "open model, from the intended start · less is better", HEIGHT_IN + CAPTION_IN, foot)
    plot = axes(figure, LEFT, RIGHT, below_in=0.5, above_in=0.85)
    ends = []
    for place, course in enumerate(shown):
        hue, aside = COLOURS.get(course.checking, GREY), 0.05 * (place - (len(shown) - 1) / 2)
        points = _timed(course)
        x = [services + aside for services, *_ in points]
        plot.plot(x, [value for _, value, _, _ in points], "-o", color=hue, linewidth=1.6, markersize=5)
        for at, (_, value, low, high) in zip(x, points, strict=True):
            if not _says_something(value, low, high):
                plot.plot([at], [value], "o", color=hue, markerfacecolor="white", markersize=5, zorder=3)
            elif low is not None and high is not None:
                plot.plot([at, at], [low, high], color=hue, linewidth=1.2, alpha=0.8)
        ends.append((points[-1][0], points[-1][1]))
    _across(plot, shown, "services in the chain")
    timed = [point for each in shown for point in _timed(each)]
    highs = [high for _, value, low, high in timed if high is not None and _says_something(value, low, high)]
    plot.set_ylim(0, 1.06 * max([*(value for _, value, _, _ in timed), *highs]))
    plot.set_ylabel("median latency (ms)")
    _names(plot, shown, ends, _added)
    told = "; ".join(f"{each.checking} {_added(each)}" for each in shown)
    return finish(
        figure, "services-latency", LATENCY_TITLE, f"Median latency by length of a chain: {told}.", LATENCY_HOW
    )


def added(cost: Estimate | None) -> str:
    """What one more service adds, `+1.92 ± 0.11 ms`; empty where nothing is known."""
    if cost is None:
        return ""
    half = half_width(cost)
    return f"{'+' if cost.value >= 0 else ''}{ms(cost.value)}{'' if half is None else f' ± {ms(half)}'} ms"


def _added(course: Course) -> str:
    return f"{added(course.added_ms)} a service" if course.added_ms else ""


def _law(course: Course) -> str:
    if course.calls is None:
        return ""
    a_service, a_request = course.calls
    told = [f"{count(a_service)} a service"] if a_service else []
    told += [f"{count(a_request)} a request"] if a_request else []
    return " + ".join(told) or "none"


def _timed(course: Course) -> list[tuple[int, float, float | None, float | None]]:
    """Services, median in ms and its interval, of chains."""
    return [
        (seen.services, seen.p50.value.value, seen.p50.value.low, seen.p50.value.high)
        for seen in course.chains
        if seen.p50 is not None
    ]


def _says_something(value: float, low: float | None, high: float | None) -> bool:
    """Whether there is an interval, and it is narrower than the value."""
    return low is not None and high is not None and high - low <= value


def _across(plot: Axes, courses: Sequence[Course], name: str) -> None:
    seen: list[Seen] = [each for course in courses for each in course.seen]
    if "fan-out" not in name:
        seen = [each for each in seen if each.is_chain]
    numbers = sorted({each.services for each in seen})
    plot.set_xlim(min(numbers) - 0.4, max(numbers) + 0.4)
    plot.xaxis.set_major_locator(FixedLocator(numbers))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.set_xlabel(name)
    plot.grid()


def _names(
    plot: Axes, courses: Sequence[Course], ends: Sequence[tuple[float, float]], tells: Callable[[Course], str]
) -> None:
    """The way's name right of each line's end, pushed apart where ends lie close."""
    to_axes = plot.transAxes.inverted()
    placed = [
        (*to_axes.transform(plot.transData.transform(end)), course) for course, end in zip(courses, ends, strict=True)
    ]
    placed.sort(key=lambda each: (each[1], each[2].checking))
    places = spread([min(max(float(at), 0.0), 1.0) for _, at, _ in placed], GAP, 0.0, 1.0)
    for (x, at, course), place in zip(placed, places, strict=True):
        hue = COLOURS.get(course.checking, GREY)
        plot.plot(
            [x, 1.0, 1.03],
            [at, at, place],
            transform=plot.transAxes,
            color=hue,
            linewidth=0.7,
            alpha=0.6,
            clip_on=False,
        )
        plot.text(
            1.04, place, course.checking, transform=plot.transAxes, color=hue, va="center", fontsize=9, weight="bold"
        )
        plot.text(1.04 + 0.19, place, tells(course), transform=plot.transAxes, color=FAINT, va="center", fontsize=8.5)
