"""Charts of distance: latency against round trip with the crossing points, and slopes against counted exchanges."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish
from reports.charts.names import KEY, End, name_ends, strategy_end
from reports.distances import Course, Overtaking
from reports.palette import FAINT, INK, RULE, colour

LATENCY_TITLE = "Latency against the distance of the stores"
LATENCY_HOW = (
    "A dot is the p50 of all launches at one round trip between replicas and stores, its whisker the 95 % interval "
    "over launches; the line is fitted to them. How steep a line is tells how often a request waits for a store. A "
    "diamond marks where one strategy overtakes another, with the interval of that distance and its number in the "
    "table; a hollow one is a crossing that the records cannot place. Left: the nearest distances, where most lines "
    "cross, enlarged. Solid reads the user row, dashed does not."
)
SLOPE_TITLE = "Exchanges a request: seen from outside, and counted"
SLOPE_HOW = (
    "Across: SQL statements and cache commands a request, as the stores counted them. Up: milliseconds of p50 that a "
    "millisecond of round trip costs, with its 95 % interval over repetitions. On the line they agree: then latency at "
    "any distance can be told from a count. Strategies with the same count are set side by side."
)
NEAR_MS = 1.0  # the greatest distance of the enlarged part


def latency_chart(
    courses: Sequence[Course], crossings: Sequence[Overtaking], foot: str, name: str = "distance-latency"
) -> Chart | None:
    """None where no strategy has a line."""
    shown = [course for course in courses if course.line is not None]
    if not shown:
        return None
    rate = f"open model, {shown[0].rate_rps:.0f} requests/s"
    figure = canvas(LATENCY_TITLE, f"p50 from the intended start · {rate} · less is better", 5.4 + CAPTION_IN, foot)
    numbered = list(enumerate(crossings, start=1))  # as the table has them
    distances = sorted({distance for course in shown for distance in course.p50_ms})
    near = [distance for distance in distances if distance <= NEAR_MS]
    enlarged = len(near) > 1 and len(near) < len(distances)
    whole = axes(figure, 0.45 if enlarged else 0.075, 0.755, below_in=0.5, above_in=0.85)
    beyond = [each for each in numbered if each[1].at.at_ms > near[-1]] if enlarged else numbered
    _lines(whole, shown, beyond, distances)
    if enlarged:
        left = axes(figure, 0.065, 0.385, below_in=0.5, above_in=0.85)
        _lines(left, shown, numbered, near)
        left.set_ylabel("latency p50 (ms)")
        left.set_title(f"up to {near[-1]:g} ms", fontsize=9.5, loc="left", color=FAINT)
        whole.set_title(f"up to {distances[-1]:g} ms", fontsize=9.5, loc="left", color=FAINT)
    else:
        whole.set_ylabel("latency p50 (ms)")
    ends = [_end(course, course.line.at(distances[-1])) for course in shown if course.line is not None]
    name_ends(whole, ends, at=1.06, key=KEY)
    told = ", ".join(
        f"{course.strategy} {course.line.at_zero:.2f} ms + {course.line.slope:.2f} × round trip"
        for course in shown
        if course.line is not None
    )
    return finish(figure, name, LATENCY_TITLE, f"p50 by round trip: {told}.", LATENCY_HOW)


def slope_chart(courses: Sequence[Course], foot: str, name: str = "distance-slope") -> Chart | None:
    """None where no strategy has both a slope and a count."""
    shown = [course for course in courses if course.slope is not None and course.exchanges is not None]
    if not shown:
        return None
    figure = canvas(SLOPE_TITLE, "slope of p50 against round trip · 95 % intervals", 5.0 + CAPTION_IN, foot)
    plot = axes(figure, 0.075, 0.735, below_in=0.5, above_in=0.85)
    most = max(course.exchanges or 0.0 for course in shown)
    plot.plot([-0.5, most + 0.5], [-0.5, most + 0.5], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ends = []
    for course in shown:
        counted, slope = course.exchanges or 0.0, course.slope
        assert slope is not None
        alike = [other for other in shown if round(other.exchanges or 0.0, 1) == round(counted, 1)]
        x = counted + 0.075 * (alike.index(course) - (len(alike) - 1) / 2)
        hue = colour(course.strategy, course.location)
        if slope.low is not None and slope.high is not None:
            plot.plot([x, x], [slope.low, slope.high], color=hue, linewidth=1.5, zorder=2)
        filled = hue if course.freshness == "row" else "white"
        plot.plot([x], [slope.value], "o", color=hue, markerfacecolor=filled, markersize=6, zorder=3)
        ends.append((course, slope.value))
    values = [value for _, value in ends]
    plot.set_xlim(-0.4, most + 0.4)
    plot.set_ylim(min(-0.2, *values) - 0.1, max(most + 0.3, *values) + 0.1)
    plot.xaxis.set_major_locator(MaxNLocator(integer=True))
    plot.yaxis.set_major_locator(MaxNLocator(integer=True))
    plot.set_xlabel("exchanges with the stores a request, counted")
    plot.set_ylabel("ms of p50 a ms of round trip")
    plot.grid(axis="y")
    name_ends(plot, [_end(course, value) for course, value in ends], at=1.06, key=KEY)
    told = ", ".join(f"{course.strategy} {value:.2f} seen, {course.exchanges:g} counted" for course, value in ends)
    return finish(figure, name, SLOPE_TITLE, f"Exchanges a request: {told}.", SLOPE_HOW)


def _lines(
    plot: Axes, shown: Sequence[Course], crossings: Sequence[tuple[int, Overtaking]], distances: Sequence[float]
) -> None:
    low, high = distances[0], distances[-1]
    top = 0.0
    for course in shown:
        line = course.line
        assert line is not None
        hue = colour(course.strategy, course.location)
        (drawn,) = plot.plot([low, high], [line.at(low), line.at(high)], color=hue, linewidth=1.6, zorder=2)
        if course.freshness != "row":
            drawn.set_dashes([4, 2])
        for distance, p50 in course.p50_ms.items():
            if not low <= distance <= high:
                continue
            if p50.low is not None and p50.high is not None:
                plot.plot([distance, distance], [p50.low, p50.high], color=hue, linewidth=1.1, alpha=0.7, zorder=2)
            plot.plot([distance], [p50.value], "o", color=hue, markersize=3.8, zorder=3)
            top = max(top, p50.value, line.at(high))
    plot.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    plot.set_ylim(0, 1.07 * top)
    for number, each in crossings:
        if each.near.line is not None and low <= each.at.at_ms <= high:
            _cross(plot, number, each, high)
    plot.xaxis.set_major_locator(FixedLocator(_apart(distances)))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plot.set_xlabel("round trip to the stores (ms)")
    plot.grid()


def _cross(plot: Axes, number: int, each: Overtaking, farthest: float) -> None:
    """A diamond at the crossing, its number in the table beside it, and the interval where there is one."""
    assert each.near.line is not None
    x, y = each.at.at_ms, each.near.line.at(each.at.at_ms)
    if each.told and each.at.low is not None and each.at.high is not None:
        plot.plot([max(each.at.low, 0.0), min(each.at.high, farthest)], [y, y], color=INK, linewidth=1, zorder=4)
    filled = INK if each.told else "white"
    plot.plot([x], [y], "D", color=INK, markerfacecolor=filled, markersize=5.5, zorder=5)
    frame = {"facecolor": "white", "edgecolor": RULE, "pad": 1.2, "linewidth": 0.6}
    side = 7 if number % 2 else -14
    plot.annotate(str(number), (x, y), (0, side), textcoords="offset points", ha="center", fontsize=7.5, bbox=frame)


def _apart(distances: Sequence[float]) -> list[float]:
    """Those whose labels do not touch."""
    least = 0.06 * (distances[-1] - distances[0])
    kept = [distances[0]]
    for distance in distances[1:]:
        if distance - kept[-1] >= least:
            kept.append(distance)
    return kept


def _end(course: Course, value: float) -> End:
    return strategy_end(None, value, course.strategy, course.location, course.freshness)
