"""The answer in three plain sentences, computed from the findings alone, each with how certain it is.

1. which place costs least; 2. what is the place's cost and what the user row's; 3. how sure that is.
"""

from collections.abc import Sequence

from authbench.analysis.bootstrap import FEWEST_LAUNCHES
from authbench.analysis.estimate import Estimate
from authbench.analysis.findings import Certainty, Comparison, Pair, Row, Sentence, Summary
from authbench.analysis.wording import listed


def answer(summary: Summary) -> tuple[Sentence, ...]:
    """Three sentences on the scenario's first workload; one where nothing may be ranked."""
    if not summary.comparisons or not summary.comparisons[0].groups:
        text = f"This run cannot say: none of its {summary.trials} trials may be ranked."
        return (Sentence(text=text, certainty="open"),)
    first = summary.comparisons[0]
    return (
        _cheapest(first, summary.question.reference),
        _row_or_place(first, summary.question.control, summary.question.reference),
        _how_sure(summary, first),
    )


def _cheapest(comparison: Comparison, reference: str) -> Sentence:
    order = [name for group in comparison.groups for name in group]
    rows = [row for name in order if (row := comparison.row(name)) is not None]
    least, most = rows[0], rows[-1]
    top = comparison.groups[0]
    if len(comparison.groups) == 1 and len(rows) > 1:
        text = f"For {comparison.title}, the intervals are too wide to rank {listed(top)} by CPU a request."
        return Sentence(text=text, certainty="open")
    if len(top) == 1:
        text = f"For {comparison.title}, {least.strategy} costs least CPU a request: {_ms(least.cpu_ms)}"
    else:
        told = [f"{row.strategy} ({_ms(row.cpu_ms)})" for row in rows[: len(top)]]
        text = f"For {comparison.title}, {listed(told)} cost least CPU a request and are too close to rank"
    ratio = least.to_reference
    if ratio is not None and ratio.low is not None and ratio.high is not None:
        which = "that is " if len(top) == 1 else f"{least.strategy} needs "
        text += f"; {which}{ratio.value:.3f} times {reference} ({ratio.low:.3f} to {ratio.high:.3f})"
    if most is not least:
        text += f"; {most.strategy} costs most, {_ms(most.cpu_ms)}"
        if len(comparison.groups[-1]) > 1:
            text += ", too close to rank with its neighbours"
    return Sentence(text=text + ".", certainty=_certainty(rows, least.verdict is None or _settled(least)))


def _row_or_place(comparison: Comparison, control: str, reference: str) -> Sentence:
    known = [pair for pair in comparison.pairs if pair.user_row_ms is not None]
    if not known:
        text = "No two strategies of this run differ in freshness alone, so what the user row costs is not shown."
        return Sentence(text=text, certainty="open")
    row_costs = [pair.user_row_ms for pair in known if pair.user_row_ms is not None]
    text = f"Reading the user row on every request costs {_range(row_costs)} of CPU ({_placelisted(known)})"
    places = [pair.location_ms for pair in known if pair.location_ms is not None]
    if places:
        text += f", the place itself {_range(places)} over {control}, which does no authentication"
    share = _share_of_row(known, reference)
    if share is not None:
        text += f"; of what {reference} costs over {control}, {100 * share:.0f} % is the user row"
    rows = [row for pair in known for name in (pair.claims, pair.row) if (row := comparison.row(name)) is not None]
    clear = all(estimate.excludes(0) for estimate in row_costs)
    if not clear:
        text += "; for some of them the interval still holds zero"
    return Sentence(text=text + ".", certainty=_certainty(rows, clear))


def _how_sure(summary: Summary, comparison: Comparison) -> Sentence:
    rows = [row for row in comparison.rows if row.cpu_ms is not None]
    fewest, most = min(row.launches for row in rows), max(row.launches for row in rows)
    launches = str(most) if fewest == most else f"{fewest} to {most}"
    text = f"{summary.valid} of {summary.trials} trials count, from {launches} launches of fresh processes a strategy"
    if summary.launch_noise is not None:
        text += f"; between launches CPU a request varies by {100 * summary.launch_noise:.1f} % (standard deviation)"
    if summary.resolution is not None:
        text += f", so that differences under about {100 * summary.resolution:.1f} % cannot be told apart here"
    close = [listed(group) for group in comparison.groups if len(group) > 1]
    if close:
        text += f"; too wide to rank {'; or '.join(close)}"
    if summary.rejected:
        text += f"; not ranked, since verification failed: {listed([row.strategy for row in summary.rejected])}"
    stuck = any(row.verdict is not None and row.verdict.word == "invalid" for row in comparison.rows)
    return Sentence(text=text + ".", certainty=_certainty(rows, not stuck and not summary.rejected))


def _certainty(rows: Sequence[Row], settled: bool) -> Certainty:
    return "firm" if settled and all(row.launches >= FEWEST_LAUNCHES for row in rows) else "tentative"


def _settled(row: Row) -> bool:
    return row.verdict is not None and row.verdict.word in ("better", "worse", "equivalent")


def _share_of_row(pairs: Sequence[Pair], reference: str) -> float | None:
    """Of the reference's cost over the control, the part that its twin without the user row does not have."""
    for pair in pairs:
        if pair.row == reference and pair.user_row_ms is not None and pair.location_ms is not None:
            whole = pair.user_row_ms.value + pair.location_ms.value
            return pair.user_row_ms.value / whole if whole > 0 else None
    return None


def _range(estimates: Sequence[Estimate]) -> str:
    low, high = min(e.value for e in estimates), max(e.value for e in estimates)
    if f"{low:.2f}" == f"{high:.2f}":
        return f"{low:.2f} ms"
    return f"{low:.2f} to {high:.2f} ms"


def _placelisted(pairs: Sequence[Pair]) -> str:
    return f"{len(pairs)} pair{'' if len(pairs) == 1 else 's'} that differ in nothing else"


def _ms(estimate: Estimate | None) -> str:
    return "no figure" if estimate is None else f"{estimate.value:.3f} ms"
