"""Stores that grow: how much they take, what a request costs on them, and what cleaning does to latency."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from authbench.analysis.estimate import Estimate
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.charts.names import End, name_ends
from reports.numbers import ms
from reports.palette import colour
from reports.sections.growth_found import Seen, size

SIZE_TITLE = "What stored logins take"
SIZE_HOW = (
    "Both scales are logarithmic: a straight line at this angle is a constant number of bytes a login, which stands "
    "beside its end. PostgreSQL's counts table and indexes, Valkey's the entries and their hash tables. Dashed: most "
    "logins have ended; a cache has removed those by itself, a table keeps them until somebody deletes them."
)
COST_TITLE = "CPU a request as the store grows"
COST_HOW = (
    "Left the whole stack's CPU for one right answer, right the database's part, in the closed model. Whiskers are "
    "95 % intervals over launches of fresh processes; one of two launches may leave the picture. Dashed: most logins "
    "in the store have ended. Flat: an index finds one login among a million as cheaply as among a thousand, while all "
    "of it is in memory."
)
CLEANING_TITLE = "Median latency while ended logins are deleted"
CLEANING_HOW = (
    "Pairs at the same open rate on the same store: hollow without cleaning, filled with it begun in the window. "
    "Whiskers are 95 % intervals over launches. Cleaning a small store takes milliseconds: there both are alike."
)


def size_chart(grown: Sequence[Seen], places: Mapping[str, str], foot: str) -> Chart | None:
    """Bytes against logins, both logarithmic; None where nothing is stored."""
    figure = canvas(
        SIZE_TITLE,
        "● table and indexes   ■ cache entries · beside each line: bytes a login · less is better",
        4.6 + CAPTION_IN,
        foot,
    )
    plot = axes(figure, 0.085, 0.63, below_in=0.5, above_in=0.9)
    plot.set_xscale("log")
    plot.set_yscale("log")
    ends: list[End] = []
    told: list[str] = []
    for measure, each_measure, where in (
        ("total_bytes", "row_bytes", "PostgreSQL"),
        ("memory_bytes", "key_bytes", "Valkey"),
    ):
        for (strategy, expired), line in _lines(grown, measure).items():
            hue = colour(strategy, places.get(strategy, ""))
            x, y = [each.rows for each in line], [each.values[measure].value for each in line]
            marker = "o" if where == "PostgreSQL" else "s"
            plot.plot(x, y, color=hue, marker=marker, markersize=5, linewidth=1.8, linestyle="--" if expired else "-")
            ended = f", {100 * expired:.0f} % ended" if expired else ""
            each = line[-1].value(each_measure)
            whose = " (cache)" if where == "Valkey" else ""
            text = f"{label(strategy, 18)}{whose}{ended}: {each:.0f} B" if each else label(strategy, 18)
            ends.append(End(x[-1], y[-1], text, hue))
            told.append(f"{strategy}{ended} in {where} {size(y[-1])} at {x[-1]:,}")
    if not ends:
        return None
    _rows_axis(plot, grown)
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: size(value)))
    plot.yaxis.set_minor_locator(NullLocator())
    plot.grid()
    plot.set_ylabel("bytes (log)")
    _names(plot, ends, 1.028)
    return finish(figure, "growth-size", SIZE_TITLE, f"Bytes against stored logins: {'; '.join(told)}.", SIZE_HOW)


def cost_chart(loaded: Sequence[Seen], places: Mapping[str, str], foot: str) -> Chart | None:
    """CPU a request against logins, whole stack and database; None where no window counts."""
    calm = [each for each in loaded if each.levels["cleaning"] == "none"]
    if not _lines(calm, "cpu_ms"):
        return None
    figure = canvas(COST_TITLE, "closed model, saturated · less is better", 4.4 + CAPTION_IN, foot)
    _cost_panel(figure, (0.07, 0.37), calm, places, "cpu_ms", "CPU a request, whole stack (ms)")
    ends = _cost_panel(figure, (0.45, 0.75), calm, places, "db_ms", "CPU a request, database (ms)")
    _names(figure.axes[-1], ends, 1.038)
    told = "; ".join(
        f"{strategy}{f' {100 * expired:.0f} % ended' if expired else ''} "
        + ", ".join(f"{ms(each.value('cpu_ms'))} ms at {each.rows:,}" for each in line)
        for (strategy, expired), line in _lines(calm, "cpu_ms").items()
    )
    return finish(figure, "growth-cost", COST_TITLE, f"CPU a request against stored logins: {told}.", COST_HOW)


def cleaning_chart(loaded: Sequence[Seen], places: Mapping[str, str], foot: str) -> Chart | None:
    """Median latency with and without cleaning, a pair a store; None where no pair counts."""
    at: dict[tuple[str, float, int], dict[str, Seen]] = {}
    for each in loaded:
        if "p50_ms" in each.values:
            at.setdefault((each.strategy, each.expired, each.rows), {})[str(each.levels["cleaning"])] = each
    pairs = [(key, both["none"], both["running"]) for key, both in sorted(at.items()) if len(both) == 2]
    if not pairs:
        return None
    height = 1.7 + 0.36 * len(pairs) + CAPTION_IN
    figure = canvas(
        CLEANING_TITLE, "open model, one rate for all · ○ without, ● with cleaning · less is better", height, foot
    )
    plot = axes(figure, 0.31, 0.97, below_in=0.5, above_in=0.8)
    for place, ((strategy, _, _), calm, cleaning) in enumerate(pairs):
        hue = colour(strategy, places.get(strategy, ""))
        for shift, each, face in ((-0.13, calm, "white"), (0.13, cleaning, hue)):
            found = each.values["p50_ms"]
            _whisker(plot, found, place + shift, hue, upright=False)
            plot.plot(found.value, place + shift, "o", color=hue, markerfacecolor=face, markersize=6)
    plot.set_ylim(len(pairs) - 0.5, -0.5)
    # An interval from two launches may be many times the value: such a whisker leaves the picture.
    plot.set_xlim(0, 2 * max(each.values["p50_ms"].value for _, *both in pairs for each in both))
    several = len({key[1] for key, _, _ in pairs}) > 1
    names = [
        f"{label(strategy, 18)}, {rows:,}" + (f", {100 * expired:.0f} % ended" if several else "")
        for (strategy, expired, rows), _, _ in pairs
    ]
    plot.set_yticks(range(len(pairs)), labels=names)
    plot.grid(axis="x")
    plot.set_xlabel("median latency from the intended start (ms)")
    told = "; ".join(
        f"{name}: {ms(a.value('p50_ms'))} and {ms(b.value('p50_ms'))} ms"
        for name, (_, a, b) in zip(names, pairs, strict=True)
    )
    return finish(figure, "growth-cleaning", CLEANING_TITLE, f"Median without and with cleaning: {told}.", CLEANING_HOW)


def _cost_panel(
    figure: Figure, span: tuple[float, float], calm: Sequence[Seen], places: Mapping[str, str], measure: str, title: str
) -> list[End]:
    plot = axes(figure, *span, below_in=0.5, above_in=1.0)
    plot.set_xscale("log")
    ends: list[End] = []
    top = 0.0
    for number, ((strategy, expired), line) in enumerate(_lines(calm, measure).items()):
        hue = colour(strategy, places.get(strategy, ""))
        x = [each.rows * (1 + 0.04 * number) for each in line]  # whiskers beside each other
        y = [each.values[measure].value for each in line]
        plot.plot(x, y, color=hue, marker="o", markersize=4.5, linewidth=1.7, linestyle="--" if expired else "-")
        for at, each in zip(x, line, strict=True):
            _whisker(plot, each.values[measure], at, hue, upright=True)
        ended = f", {100 * expired:.0f} % ended" if expired else ""
        ends.append(End(x[-1], y[-1], f"{label(strategy, 18)}{ended}", hue))
        top = max(top, *y)
    _rows_axis(plot, calm)
    plot.set_ylim(0, top * 1.35 or 1)
    plot.grid()
    plot.set_title(title, fontsize=9.5, loc="left")
    return ends


def _whisker(plot: Axes, found: Estimate, at: float, hue: str, *, upright: bool) -> None:
    if found.low is None or found.high is None:
        return
    span, place = [max(found.low, 0.0), found.high], [at, at]
    plot.plot(*((place, span) if upright else (span, place)), color=hue, linewidth=1.1, alpha=0.8)


def _lines(several: Sequence[Seen], measure: str) -> dict[tuple[str, float], list[Seen]]:
    """(strategy, ended share) -> its stores by size, of those that have the measure."""
    found: dict[tuple[str, float], list[Seen]] = {}
    for each in sorted(several, key=lambda each: (each.strategy, each.expired, each.rows)):
        if measure in each.values:
            found.setdefault((each.strategy, each.expired), []).append(each)
    return found


def _rows_axis(plot: Axes, several: Sequence[Seen]) -> None:
    shown = sorted({each.rows for each in several})
    plot.set_xlim(shown[0] / 1.5, shown[-1] * 1.7)
    plot.xaxis.set_major_locator(FixedLocator(shown) if len(shown) < 6 else LogLocator(10))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_minor_formatter(NullFormatter())
    plot.set_xlabel("stored logins, live and ended (log)")


def _names(plot: Axes, ends: Sequence[End], at: float) -> None:
    key = "dashed: mostly ended" if any("% ended" in end.text for end in ends) else ""
    name_ends(plot, ends, gap=0.062, at=at, size=8.6, key=key)
