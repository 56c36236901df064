"""CPU a request, stacked by tier: the report's main figure."""

from matplotlib.axes import Axes

from authbench.analysis.findings import Comparison, Row
from authbench.metric import METRICS
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.numbers import cpu, plus_minus
from reports.palette import FAINT, FRESHNESS_MARK, INK, TIER_NAMES, TIERS, colour

TITLE = "CPU a request, by part of the stack"
HOW = (
    "A bar is the CPU that the whole stack spends on one right answer, in milliseconds; its segments say where. The "
    "whisker is the 95 % interval over launches of fresh processes. Bars whose strategies share a rank (=) are too "
    "close to tell apart. A filled dot reads the user row on every request, an open one does not: compare open with "
    "open and filled with filled."
)


def cpu_chart(comparison: Comparison, foot: str, name: str = "cpu") -> Chart | None:
    """Horizontal bars, least CPU on top; None where nothing was measured."""
    rows = [row for row in comparison.rows if row.cpu_ms is not None]
    if not rows:
        return None
    height = 1.95 + 0.34 * len(rows) + CAPTION_IN
    figure = canvas(TITLE, f"{comparison.title} · saturated, closed model · less is better", height, foot)
    plot = axes(figure, 0.245, 0.985, below_in=0.5, above_in=1.02)
    furthest = max(_end(row) for row in rows)
    for place, row in enumerate(rows):
        _bar(plot, place, row, furthest)
    plot.set_ylim(len(rows) - 0.45, -0.55)
    plot.set_xlim(0, furthest * 1.2)
    plot.set_yticks([])
    plot.spines["left"].set_visible(False)
    plot.grid(axis="x")
    plot.set_xlabel(f"CPU time a request ({METRICS['cpu_ms_per_request'].unit})")
    used = [tier for tier in TIERS if any(tier in row.cpu_ms_by_tier for row in rows)]
    handles = [plot.barh([0], [0], color=TIERS[tier], label=TIER_NAMES[tier]) for tier in used]
    plot.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.008, 1.0),
        ncols=len(used),
        frameon=False,
        fontsize=9,
        handlelength=1.0,
        handleheight=1.0,
        columnspacing=1.4,
        borderaxespad=0.3,
    )
    figure.text(
        0.012, 1 - 0.86 / height, "● reads the user row   ○ claims only", fontsize=8.5, color=FAINT, va="center"
    )
    told = ", ".join(f"{row.strategy} {cpu(row.cpu_ms.value)} ms" for row in rows if row.cpu_ms)
    return finish(figure, name, f"{TITLE}: {comparison.title}", f"Bar chart of CPU a request: {told}.", HOW)


def _bar(plot: Axes, place: int, row: Row, furthest: float) -> None:
    left = 0.0
    for tier, fill in TIERS.items():
        if part := row.cpu_ms_by_tier.get(tier):
            plot.barh(place, part.value, left=left, height=0.68, color=fill, edgecolor="white", linewidth=0.8)
            left += part.value
    total = row.cpu_ms
    assert total is not None
    text = f"{plus_minus(total)} ms"
    if total.low is not None and total.high is not None:
        plot.plot([total.low, total.high], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
        for end in (total.low, total.high):
            plot.plot([end, end], [place - 0.13, place + 0.13], color=INK, linewidth=1.1)
    plot.text(_end(row) + furthest * 0.012, place, text, va="center", fontsize=9)
    rank = "" if row.rank is None else f"{row.rank}{'=' if row.tied else ''}"
    frame = plot.get_yaxis_transform()
    plot.text(-0.315, place, rank, transform=frame, va="center", ha="left", fontsize=9, color=FAINT)
    weight = "bold" if row.role == "reference" else "normal"
    plot.text(-0.035, place, label(row.strategy, 24), transform=frame, va="center", ha="right", weight=weight)
    hue = colour(row.strategy, row.location)
    mark = FRESHNESS_MARK.get(row.freshness, "")
    plot.text(-0.013, place, mark, transform=frame, va="center", ha="center", color=hue, fontsize=11)


def _end(row: Row) -> float:
    assert row.cpu_ms is not None
    return max(row.cpu_ms.value, row.cpu_ms.high or 0.0, sum(part.value for part in row.cpu_ms_by_tier.values()))
