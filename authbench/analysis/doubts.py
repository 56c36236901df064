"""What a reader must know about the rows of a summary, as cautions."""

from collections.abc import Mapping, Sequence, Set

from authbench.analysis.caution import Caution
from authbench.analysis.findings import Comparison, Latency, Role, Row
from authbench.analysis.judgement import why_stuck
from authbench.analysis.rows import expected
from authbench.records import Contender, Trial

COUNT_TOLERANCE = 0.05  # statements a request: what opening connections and the probe's timing may add


def doubts(
    comparison: Comparison, contenders: Sequence[Contender], shares: Mapping[str, int], planned_launches: int
) -> list[Caution]:
    """Cautions about every contender at one combination of levels."""
    rows = {row.strategy: row for row in comparison.rows}
    against = {latency.load for row in comparison.rows if row.role == "reference" for latency in row.latency}
    found = []
    for contender in contenders:
        about = f"{contender.name} ({comparison.title})"
        row = rows.get(contender.name)
        if row is None:
            found.append(Caution(code="not-measured", about=about, message="no trial in the records"))
            continue
        if row.launches < planned_launches:
            told = f"{row.launches} of {planned_launches} planned launches"
            found.append(Caution(code="missing-launches", about=about, message=told))
        found += _row_doubts(about, row, expected(contender, "sql", shares))
        found += [caution for latency in row.latency for caution in _latency_doubts(about, latency, row.role, against)]
    return found


def unresolved_doubts(trials: Sequence[Trial]) -> list[Caution]:
    """A caution for every measurement that stayed invalid."""
    return [
        Caution(
            code="unresolved-block", about=f"trial {trial.trial}", message=f"{trial.strategy}: {why_stuck([trial])}"
        )
        for trial in trials
    ]


def _row_doubts(about: str, row: Row, statements: float | None) -> list[Caution]:
    found = []
    seen = row.statements_per_request
    if statements is not None and seen is not None and abs(seen - statements) > COUNT_TOLERANCE:
        told = f"{seen:.2f} SQL statements a request measured, {statements:.2f} counted by verification"
        found.append(Caution(code="statements-differ", about=about, message=told))
    return found


def _latency_doubts(about: str, latency: Latency, role: Role, against: Set[str]) -> list[Caution]:
    """`against`: loads at which the reference was measured. p999 is left out: no run of ours has samples enough."""
    named = [name for name in latency.quantiles if name != "p999"]
    weak = [name for name in named if not latency.quantiles[name].supported]
    told = (
        [f"{', '.join(weak)} at {latency.load}: fewer than 50 of {latency.samples} samples lie beyond"] if weak else []
    )
    if role != "reference" and latency.load in against:
        alone = [name for name in named if name not in latency.to_reference]
        why = "no ratio to the reference, since no launch that both have holds 50 samples beyond on both sides"
        told += [f"{', '.join(alone)} at {latency.load}: {why}"] if alone else []
    return [Caution(code="quantile-unsupported", about=about, message="; ".join(told))] if told else []
