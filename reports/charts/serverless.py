"""Charts of functions: where a cold start goes, and what frozen instances hold."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from authbench.analysis.connections import DEFAULT_LIMIT
from authbench.analysis.estimate import Estimate
from authbench.analysis.serverless import Functions
from authbench.experiments.serverless.measures import CONNECTION, DJANGO, IMPORT, INTERPRETER, KEYS, PHASES, REQUEST
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.charts.names import spread
from reports.numbers import half_width, ms
from reports.palette import FAINT, FRESHNESS_MARK, INK, LIMIT, colour

COLD = "Where a cold start goes"
HOW_COLD = (
    "A bar is the time from the start of Python to the first answer, in a process of its own; its segments say what it "
    "was spent on. The whisker is the 95 % interval of the whole over launches (an arrow: it goes on). On the right, "
    "on a scale of its own: a request to the same instance afterwards, with the database connection kept (filled) or "
    "opened anew (open)."
)
HELD = "Database connections held by frozen instances"
HOW_HELD = (
    "Marks are counts after bursts of requests: an instance answers one request at a time, so that each request of a "
    "burst has one of its own, and each stands still afterwards. Dotted: what more instances would hold if each holds "
    "as many. Where a line meets the red one, PostgreSQL refuses. Dashed grey: what one replica with a pool of four "
    "threads holds for as many requests at once; the others wait for a thread."
)
CUT = 2.0  # lengths of the longest bar: whiskers that go on end in an arrow
LAST = 1.3 * DEFAULT_LIMIT  # instances at the right edge
THREADS = 4  # of the replica that functions are compared with
# One hue that is no strategy's, and another for what goes over the network.
FILLS: Mapping[str, str] = {
    INTERPRETER.name: "#CBD9E5",
    IMPORT.name: "#24405E",
    DJANGO.name: "#54789C",
    CONNECTION.name: "#B98500",
    KEYS.name: "#E0C271",
    REQUEST.name: "#8FAFC9",
}


def cold_chart(shown: Sequence[Functions], foot: str) -> Chart | None:
    """Horizontal bars in the order given; None where no cold start counts."""
    rows = [each for each in shown if each.cold_ms is not None]
    if not rows:
        return None
    height = 2.05 + 0.36 * len(rows) + CAPTION_IN
    figure = canvas(COLD, "one instance at a time, started alone · less is better", height, foot)
    plot = axes(figure, 0.205, 0.765, below_in=0.5, above_in=1.02)
    beside = axes(figure, 0.8, 0.985, below_in=0.5, above_in=1.02)
    furthest = _furthest(rows)
    for place, each in enumerate(rows):
        _bar(plot, place, each, furthest)
        _warm(beside, place, each)
    for panel in (plot, beside):
        panel.set_ylim(len(rows) - 0.45, -0.55)
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.grid(axis="x")
    plot.set_xlim(0, furthest * 1.25)
    plot.set_xlabel("cold start (ms)")
    beside.set_xlim(0, 1.12 * _furthest_warm(rows))
    beside.xaxis.set_major_locator(MaxNLocator(nbins=4))
    beside.set_xlabel("warm request, median (ms)")
    used = [each for each in PHASES if any(each.name in row.phases_ms for row in rows)]
    handles = [plot.barh([0], [0], color=FILLS[each.name], label=each.label) for each in used]
    plot.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.36, 1.0),
        ncols=len(used),
        frameon=False,
        fontsize=8.5,
        handlelength=1.0,
        handleheight=1.0,
        columnspacing=1.2,
        borderaxespad=0.3,
    )
    told = ", ".join(f"{each.strategy} {ms(each.cold_ms.value)} ms" for each in rows if each.cold_ms)
    return finish(figure, "serverless-cold", COLD, f"Cold starts: {told}.", HOW_COLD)


def held_chart(shown: Sequence[Functions], foot: str) -> Chart:
    """A line for all strategies whose instances hold the same; both axes logarithmic."""
    figure = canvas(
        HELD, "counted while all stand still · dotted: if each of more instances holds as many", 4.7 + CAPTION_IN, foot
    )
    plot = axes(figure, 0.075, 0.69, below_in=0.5, above_in=0.8)
    plot.set_xscale("log", base=2)
    plot.set_yscale("symlog", base=2, linthresh=1, linscale=0.5)
    courses = _courses(shown)
    for course in courses:
        _line(plot, course)
    counts = [2**power for power in range(8)]
    plot.plot([1, THREADS, LAST], [1, THREADS, THREADS], color=FAINT, linewidth=1.1, linestyle=(0, (4, 3)))
    plot.text(LAST / 1.06, THREADS * 1.09, f"one replica with {THREADS} threads", color=FAINT, fontsize=8.5, ha="right")
    plot.axhline(DEFAULT_LIMIT, color=LIMIT, linewidth=1.4)
    text = f"max_connections, PostgreSQL's default: {DEFAULT_LIMIT}"
    plot.text(1, DEFAULT_LIMIT * 1.07, text, color=LIMIT, fontsize=8.5)
    plot.set_xlim(1 / 1.1, LAST)
    plot.set_ylim(-0.3, 200)
    plot.xaxis.set_major_locator(FixedLocator(counts))
    plot.yaxis.set_major_locator(FixedLocator([0, *counts]))
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())
    plot.set_xlabel("instances (log)")
    plot.set_ylabel("connections held (log above 1)")
    plot.grid()
    _names(plot, courses, len(shown))
    told = "; ".join(
        f"{', '.join(each.strategy for each in course)}, CONN_MAX_AGE {age}: "
        + ", ".join(f"{held:g} by {instances:g}" for instances, held in points.items())
        for age, points, course in courses
    )
    return finish(figure, "serverless-held", HELD, f"Connections held by frozen instances: {told}.", HOW_HELD)


def _end(each: Functions) -> float:
    assert each.cold_ms is not None
    return max(each.cold_ms.value, each.cold_ms.high or 0.0)


def _furthest(rows: Sequence[Functions]) -> float:
    """The end of the longest whisker, but no more than twice the longest bar: few launches give very long ones."""
    return min(max(map(_end, rows)), CUT * max(each.cold_ms.value for each in rows if each.cold_ms))


def _bar(plot: Axes, place: int, each: Functions, furthest: float) -> None:
    left = 0.0
    for phase in PHASES:
        if part := each.phases_ms.get(phase.name):
            fill = FILLS[phase.name]
            plot.barh(place, part.value, left=left, height=0.68, color=fill, edgecolor="white", linewidth=0.6)
            left += part.value
    whole = each.cold_ms
    assert whole is not None
    if whole.low is not None and whole.high is not None:
        low, high = max(whole.low, 0.0), min(whole.high, furthest)
        plot.plot([low, high], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
        for end in (whole.low, whole.high):
            if 0 <= end <= furthest:
                plot.plot([end, end], [place - 0.13, place + 0.13], color=INK, linewidth=1.1)
        if whole.high > furthest:
            plot.plot([furthest], [place], color=INK, marker=">", markersize=5)
    half = half_width(whole)
    text = f"{whole.value:.0f}{'' if half is None else f' ± {half:.0f}'} ms"
    plot.text(min(_end(each), furthest) + furthest * 0.015, place, text, va="center", fontsize=9)
    frame = plot.get_yaxis_transform()
    plot.text(-0.045, place, label(each.strategy, 24), transform=frame, va="center", ha="right")
    mark, hue = FRESHNESS_MARK.get(each.freshness, ""), colour(each.strategy, each.location)
    plot.text(-0.02, place, mark, transform=frame, va="center", ha="center", color=hue, fontsize=11)


def _furthest_warm(rows: Sequence[Functions]) -> float:
    found = [warm.p50_ms for each in rows for warm in each.warm.values() if warm.p50_ms is not None]
    ends = [max(each.value, each.high or 0.0) for each in found]
    return min(max(ends), CUT * max(each.value for each in found)) if found else 1.0


def _warm(plot: Axes, place: int, each: Functions) -> None:
    hue, longest = colour(each.strategy, each.location), max(each.warm)
    for age, warm in each.warm.items():
        kept = age == longest
        if warm.p50_ms is not None:
            _mark(plot, warm.p50_ms, place + (-0.13 if kept else 0.13), hue, filled=kept)


def _mark(plot: Axes, value: Estimate, place: float, hue: str, *, filled: bool) -> None:
    if value.low is not None and value.high is not None:
        plot.plot([max(value.low, 0.0), value.high], [place, place], color=hue, linewidth=1.1)
    fill = hue if filled else "white"
    plot.plot([value.value], [place], marker="o", markersize=5, color=hue, markerfacecolor=fill)


Course = tuple[int, Mapping[float, float], list[Functions]]  # CONN_MAX_AGE, instances -> held, the strategies


def _courses(shown: Sequence[Functions]) -> list[Course]:
    """Strategies that hold the same at one CONN_MAX_AGE are one line: drawn alone, each would hide the others."""
    found: list[Course] = []
    for each in shown:
        for age, bursts in each.bursts.items():
            points = {burst.instances.value: burst.held.value for burst in bursts.values()}
            alike = next((course for at, held, course in found if at == age and held == points), None)
            if alike is None:
                found.append((age, points, [each]))
            else:
                alike.append(each)
    return found


def _line(plot: Axes, course: Course) -> None:
    age, points, alike = course
    hue = colour(alike[0].strategy, alike[0].location) if len(alike) == 1 else INK
    style, fill = ("-", hue) if age else ((0, (1, 1.5)), "white")
    plot.plot(
        list(points),
        list(points.values()),
        color=hue,
        linewidth=1.6,
        linestyle=style,
        marker="o",
        markersize=6 if age else 9,
        markerfacecolor=fill,
        zorder=3 if age else 2,
    )
    most = max(points)
    if points[most]:
        plot.plot([most, LAST], [points[most], points[most] / most * LAST], color=hue, linewidth=1.2, linestyle=":")


def _names(plot: Axes, courses: Sequence[Course], everyone: int) -> None:
    """Right of the axes, at the height that each line ends at: the names of all that it stands for."""
    to_axes = plot.transAxes.inverted()
    entries: list[tuple[float, str, str, bool]] = []
    for age, points, alike in sorted(courses, key=_last_held, reverse=True):
        most = max(points)
        end = points[most] / most * LAST
        top = float(to_axes.transform(plot.transData.transform((1, end)))[1])
        names = [(f"{FRESHNESS_MARK.get(each.freshness, '')} {label(each.strategy, 24)}", each) for each in alike]
        entries.append((top, f"CONN_MAX_AGE {age}{': all strategies' if len(alike) == everyone else ''}", INK, True))
        if len(alike) < everyone:
            entries += [(top, text, colour(each.strategy, each.location), False) for text, each in names]
    # A little below each other, so that pushing apart keeps names under their headings.
    wanted = [top - 1e-4 * number for number, (top, *_) in enumerate(entries)]
    places = reversed(spread(wanted[::-1], 0.052, -0.1, 1.0))
    for place, (_, text, hue, heads) in zip(places, entries, strict=True):
        plot.text(
            1.03 if heads else 1.045,
            place,
            text,
            transform=plot.transAxes,
            color=hue,
            va="center",
            fontsize=8.5 if heads else 9,
            weight="normal" if heads else "bold",
        )


def _last_held(course: Course) -> tuple[float, int]:
    age, points, _ = course
    return points[max(points)], age
