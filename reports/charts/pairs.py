"""Claims and row of the same place, side by side: what the user row costs."""

from authbench.analysis.findings import Comparison
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label
from reports.numbers import cpu, interval_cpu
from reports.palette import FAINT, INK, colour

TITLE = "The place and the user row, apart"
HOW = (
    "Both dots of a line keep the login in the same place. The open dot trusts what is stored there; the filled one "
    "reads the user row on every request besides. The bar between them is the user row's cost, the distance from the "
    "dashed line (no authentication) to the open dot is the place's own."
)


def pairs_chart(comparison: Comparison, control: str, foot: str, name: str = "pairs") -> Chart | None:
    """A dumbbell a pair of twins; None where the run has no pair."""
    if not comparison.pairs:
        return None
    height = 1.85 + 0.52 * len(comparison.pairs) + CAPTION_IN
    figure = canvas(TITLE, f"{comparison.title} · saturated, closed model · less is better", height, foot)
    plot = axes(figure, 0.245, 0.985, below_in=0.5, above_in=0.95)
    furthest = max(pair.row_ms.high or pair.row_ms.value for pair in comparison.pairs)
    for place, pair in enumerate(comparison.pairs):
        hue = colour(pair.claims, pair.location)
        plot.plot([pair.claims_ms.value, pair.row_ms.value], [place, place], color=hue, linewidth=5, alpha=0.35)
        for estimate, fill in ((pair.claims_ms, "white"), (pair.row_ms, hue)):
            if estimate.low is not None and estimate.high is not None:
                plot.plot([estimate.low, estimate.high], [place, place], color=INK, linewidth=1.2, zorder=4)
            plot.plot(
                [estimate.value],
                [place],
                "o",
                markersize=9,
                markerfacecolor=fill,
                markeredgecolor=hue,
                markeredgewidth=2,
            )
        middle = (pair.claims_ms.value + pair.row_ms.value) / 2
        if pair.user_row_ms is not None:
            cost = f"user row +{cpu(pair.user_row_ms.value)} ms ({interval_cpu(pair.user_row_ms)})"
            plot.text(middle, place - 0.2, cost, ha="center", va="bottom", fontsize=9)
        frame = plot.get_yaxis_transform()
        plot.text(-0.02, place - 0.14, pair.location, transform=frame, ha="right", va="center", weight="bold")
        names = f"{label(pair.claims, 22)} → {label(pair.row, 22)}"
        plot.text(-0.02, place + 0.2, names, transform=frame, ha="right", va="center", fontsize=7.5, color=FAINT)
    row = comparison.row(control)
    if row is not None and row.cpu_ms is not None:
        plot.axvline(row.cpu_ms.value, color=FAINT, linewidth=1.2, linestyle=(0, (3, 3)))
        text = f"{label(control)}: {cpu(row.cpu_ms.value)} ms"
        plot.text(row.cpu_ms.value, -0.66, f" {text}", color=FAINT, fontsize=8.5, ha="left", va="center")
    plot.set_ylim(len(comparison.pairs) - 0.5, -0.8)
    plot.set_xlim(0, furthest * 1.12)
    plot.set_yticks([])
    plot.spines["left"].set_visible(False)
    plot.grid(axis="x")
    plot.set_xlabel("CPU time a request (ms)")
    told = ", ".join(f"{p.location} +{cpu(p.user_row_ms.value)} ms" for p in comparison.pairs if p.user_row_ms)
    return finish(figure, name, f"{TITLE}: {comparison.title}", f"What the user row costs, by place: {told}.", HOW)
