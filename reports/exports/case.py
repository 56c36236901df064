"""What was decided, as test cases: the one shape that JUnit, annotations and step summaries are made from.

A plain run, `authbench compare` and the gate all make cases, so that a CI server shows the three alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from authbench.analysis.findings import Row, Summary
from authbench.analysis.verdict import Verdict, VerdictWord
from reports.numbers import between, plus_minus, times
from reports.words import rank

Outcome = Literal["passed", "failed", "invalid", "inconclusive"]
WORST_FIRST: tuple[Outcome, ...] = ("failed", "invalid", "inconclusive", "passed")
OUTCOMES: Mapping[VerdictWord, Outcome] = {
    "better": "passed",
    "worse": "passed",
    "equivalent": "passed",
    "inconclusive": "inconclusive",
    "invalid": "invalid",
}
VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Case:
    """One decision. `suite` and `name` together are unique in a file; any text is allowed in any field.

    `failed`: found wanting; `invalid`: measured, but it may not be judged; `inconclusive`: judged, and left open.
    """

    suite: str
    name: str
    outcome: Outcome
    message: str  # one sentence: why
    details: str = ""  # as many lines as it takes
    properties: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None  # how long it took to find out, where that is known


def worst_first(cases: Iterable[Case]) -> list[Case]:
    """The cases with those that need a reader first; the given order among equals."""
    return sorted(cases, key=lambda case: WORST_FIRST.index(case.outcome))


def cases_of(summary: Summary) -> tuple[Case, ...]:
    """One case a verdict of a run.

    Better, worse and equivalent are results, not failures: `passed`. A contender that did not pass verification has
    `failed`. Reference and control have no verdict, hence no case.
    """
    reference = summary.question.reference
    measured = [
        _case(comparison.title, row, row.verdict, reference)
        for comparison in summary.comparisons
        for row in comparison.rows
        if row.verdict is not None
    ]
    rejected = [
        Case(VERIFICATION, each.strategy, "failed", each.verdict.why, "\n".join(each.problems))
        for each in summary.rejected
    ]
    return (*rejected, *measured)


def _case(suite: str, row: Row, verdict: Verdict, reference: str) -> Case:
    ratio = f"{times(row.to_reference)} of {reference} ({between(row.to_reference)}); " if row.to_reference else ""
    told = [f"CPU a request {plus_minus(row.cpu_ms)} ms" if row.cpu_ms else "CPU a request: no valid figure"]
    told += [f"{row.launches} launches, {row.valid} valid trials, {row.invalid} invalid"]
    properties = {"verdict": verdict.word, "reference": reference, "rank": rank(row)}
    outcome = OUTCOMES[verdict.word]
    return Case(suite, row.strategy, outcome, f"{verdict.word}: {ratio}{verdict.why}", "\n".join(told), properties)
