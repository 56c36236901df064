"""Data kept with a login: what every request carries for it, and what it costs in CPU."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from authbench.analysis.estimate import Estimate
from authbench.experiments.payload.measures import COOKIE_LIMIT_BYTES
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish
from reports.charts.names import KEY, name_ends, strategy_end
from reports.numbers import half_width, whole
from reports.palette import INK, colour
from reports.payloads import Course, Point

WIRE_TITLE = "What each request carries for its login"
WIRE_HOW = (
    "Read to the right: more data is kept with each login. Read upwards: bytes of the header that every request "
    "carries for it. A flat line keeps the data at the server and carries a key; a rising one carries the data itself. "
    "Dashed lines across are limits: a ring is a cookie that a browser would not have kept, though the stack may let "
    "it in; a cross is refused, so nothing else was measured there."
)
CPU_TITLE = "CPU a request, as more data is kept with the login"
CPU_HOW = (
    "A dot is the CPU of the whole stack for one right answer, its whisker the 95 % interval over launches of fresh "
    "processes; dots are moved apart a little where they would hide each other. Behind each name stands what 1,024 "
    "bytes more cost a request, with half its interval. The control carries no data: what it shows there is noise. A "
    "line ends where requests are refused. Solid reads the user row, dashed does not."
)
HEIGHT_IN = 5.2
LEFT, RIGHT = 0.08, 0.655
GAP = 0.058  # of the axes' height: the least between two names
FLAT = 0.005  # bytes a byte of data: less is shown as none


def wire_chart(courses: Sequence[Course], foot: str, name: str = "payload-wire") -> Chart | None:
    """Bytes carried against data kept; None with fewer than two payloads, which have no course."""
    shown = [course for course in courses if len(course.points) > 1]
    if not shown:
        return None
    figure = canvas(WIRE_TITLE, "mean of all users · the header line that carries it", HEIGHT_IN + CAPTION_IN, foot)
    plot = axes(figure, LEFT, RIGHT, below_in=0.5, above_in=0.85)
    for course in shown:
        hue = colour(course.strategy, course.location)
        x = [point.payload_bytes for point in course.points]
        (line,) = plot.plot(x, [point.credential_bytes for point in course.points], color=hue, linewidth=1.7)
        if course.freshness != "row":
            line.set_dashes([4, 2])
        for point in course.points:
            _mark(plot, point, hue)
    top = _limits(plot, shown)
    _across(plot, shown)
    plot.set_ylim(-0.02 * top, top)
    plot.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))
    plot.set_ylabel("header line of the credential (bytes)")
    ends = [(course.points[-1].payload_bytes, course.points[-1].credential_bytes) for course in shown]
    _names(plot, shown, ends, _growth)
    told = ", ".join(f"{each.strategy} {whole(each.points[-1].credential_bytes)} bytes" for each in shown)
    at = whole(shown[0].points[-1].payload_bytes)
    return finish(figure, name, WIRE_TITLE, f"Bytes that a request carries with {at} bytes of data: {told}.", WIRE_HOW)


def cpu_chart(courses: Sequence[Course], foot: str, name: str = "payload-cpu") -> Chart | None:
    """CPU against data kept, with intervals; None where no strategy has two payloads."""
    shown = [course for course in courses if len(_timed(course)) > 1]
    if not shown:
        return None
    subtitle = "saturated, closed model · whole stack · less is better"
    figure = canvas(CPU_TITLE, subtitle, HEIGHT_IN + CAPTION_IN, foot)
    plot = axes(figure, LEFT, RIGHT, below_in=0.5, above_in=0.85)
    span = max(point.payload_bytes for course in shown for point in course.points)
    for place, course in enumerate(shown):
        hue = colour(course.strategy, course.location)
        aside = span * 0.006 * (place - (len(shown) - 1) / 2) / max(1, len(shown) / 6)
        timed = _timed(course)
        x = [point.payload_bytes + aside for point, _ in timed]
        (line,) = plot.plot(x, [cost.value for _, cost in timed], color=hue, linewidth=1.5)
        if course.freshness != "row":
            line.set_dashes([4, 2])
        for at, (_, cost) in zip(x, timed, strict=True):
            if cost.low is not None and cost.high is not None:
                plot.plot([at, at], [cost.low, cost.high], color=hue, linewidth=1.1, alpha=0.8)
            plot.plot([at], [cost.value], "o", color=hue, markersize=4.5)
    _across(plot, shown)
    plot.set_ylim(0, 1.08 * max(cost.high or cost.value for course in shown for _, cost in _timed(course)))
    plot.set_ylabel("CPU time a request (ms)")
    ends = [(point.payload_bytes, cost.value) for point, cost in (_timed(course)[-1] for course in shown)]
    _names(plot, shown, ends, _cost)
    told = ", ".join(f"{each.strategy} {_cost(each)}" for each in shown)
    return finish(figure, name, CPU_TITLE, f"CPU a request by payload; what a KB more costs: {told}.", CPU_HOW)


def _mark(plot: Axes, point: Point, hue: str) -> None:
    """Rings and crosses lie on top and are wider than dots: courses that are equal hide each other's dots."""
    at = ([point.payload_bytes], [point.credential_bytes])
    if point.balanced is not None:
        plot.plot(*at, "x", color=hue, markersize=9, markeredgewidth=2.2, zorder=4)
    else:
        plot.plot(*at, "o", markersize=6, color=hue, zorder=3)
    if point.dropped:
        plot.plot(*at, "o", markersize=12, markerfacecolor="none", markeredgecolor=hue, markeredgewidth=1.6, zorder=5)


def _limits(plot: Axes, courses: Sequence[Course]) -> float:
    """Draws the limits that are in reach; the top of the scale."""
    points = [point for course in courses for point in course.points]
    longest = max(point.credential_bytes for point in points)
    passing = [point.balancer_limit_bytes for point in points if point.balancer_limit_bytes is not None]
    limits = [(COOKIE_LIMIT_BYTES, f"browsers keep no longer cookie: {COOKIE_LIMIT_BYTES:,} B")]
    if passing:
        limits.append((min(passing), f"the stack lets no longer header line in: {min(passing):,} B"))
    drawn = [(at, text) for at, text in limits if at < 1.6 * longest]
    for at, text in drawn:
        plot.axhline(at, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        frame = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        plot.text(
            0.012,
            at + 0.008 * longest,
            text,
            transform=plot.get_yaxis_transform(),
            color=INK,
            fontsize=8.5,
            va="bottom",
            bbox=frame,
            zorder=1,
        )
    return 1.08 * max([longest, *(at for at, _ in drawn)])


def _across(plot: Axes, courses: Sequence[Course]) -> None:
    sizes = sorted({point.payload_bytes for course in courses for point in course.points})
    span = sizes[-1] - min(0, sizes[0])
    ticks: list[int] = []
    for size in sizes:
        if not ticks or size - ticks[-1] > span * 0.05:
            ticks.append(size)
    plot.xaxis.set_major_locator(FixedLocator(ticks))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: whole(value)))
    plot.set_xlim(-0.025 * span, sizes[-1] + 0.025 * span)
    plot.grid()
    plot.set_xlabel("data kept with each login, beside who it is (bytes)")


def _names(
    plot: Axes, courses: Sequence[Course], at: Sequence[tuple[float, float]], more: Callable[[Course], str]
) -> None:
    """A name beside each course's last place, and what else there is to say of it."""
    ends = [
        strategy_end(*end, course.strategy, course.location, course.freshness)
        for course, end in zip(courses, at, strict=True)
    ]
    places = name_ends(plot, ends, gap=GAP, key=KEY)
    for course, end in zip(courses, ends, strict=True):
        text, to = more(course), plot.transAxes
        plot.text(1.585, places[end], text, transform=to, color=INK, va="center", ha="right", fontsize=8.2)


def _timed(course: Course) -> list[tuple[Point, Estimate]]:
    return [(point, point.cpu_ms) for point in course.points if point.cpu_ms is not None]


def _growth(course: Course) -> str:
    carried = course.carried_per_byte
    if not course.points[-1].credential_bytes:
        return "nothing"
    return "a key alone" if carried is None or carried < FLAT else f"{carried:.2f} B a byte"


def _cost(course: Course) -> str:
    if course.us_per_kb is None:
        return ""
    half = half_width(course.us_per_kb)
    return f"{course.us_per_kb.value:+.1f}{'' if half is None else f' ± {half:.1f}'} µs/KB"
