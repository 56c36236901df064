"""Verdicts as test cases."""

import pytest

from authbench.analysis.verdict import VerdictWord
from reports.exports.case import VERIFICATION, Case, cases_of, worst_first
from tests.unit.analysis.synthetic import TRUTHS, World
from tests.unit.reports.exports.made import FOUR, found


def test_one_case_a_verdict():
    summary, _ = found()
    cases = cases_of(summary)
    words = [row.verdict for comparison in summary.comparisons for row in comparison.rows if row.verdict]

    assert len(cases) == len(words) + len(summary.rejected)
    assert {case.name for case in cases} == {"session-cache", "session-db-claims", "session-cache-claims"}


def test_what_failed_verification_failed_and_says_why():
    case = next(case for case in cases_of(found()[0]) if case.name == "session-cache")

    assert (case.suite, case.outcome) == (VERIFICATION, "failed")
    assert "one character changed" in case.details


def test_what_stayed_invalid_is_invalid():
    case = next(case for case in cases_of(found()[0]) if case.name == "session-db-claims")

    assert case.outcome == "invalid"
    assert "steal" in case.message


@pytest.mark.parametrize(
    ("strategy", "slower", "word", "outcome"),
    [
        ("jwt-row", 1.0, "better", "passed"),
        ("jwt-row", 4.0, "worse", "passed"),  # in a run, a dear strategy is a result: only the gate fails on it
        ("jwt-row", 1.5625, "inconclusive", "inconclusive"),
    ],
)
def test_results_are_no_failures(strategy, slower, word: VerdictWord, outcome):
    truths = (*TRUTHS[:2], TRUTHS[-1])
    world = World(launches=6 if outcome == "passed" else 2, truths=truths, loads=("saturate",))
    world = World(**{**world.__dict__, "factors": {strategy: slower}})
    (case,) = cases_of(found(world)[0])

    assert case.outcome == outcome
    assert case.message.startswith(f"{word}: ")
    assert "× of session-db (" in case.message
    assert case.properties["verdict"] == word


def test_worst_first_keeps_the_order_among_equals():
    twice = (*FOUR, *(Case("again", case.name, case.outcome, "") for case in FOUR))

    assert [(case.suite, case.outcome) for case in worst_first(twice)] == [
        ("whoami", "failed"),
        ("again", "failed"),
        ("orders", "invalid"),
        ("again", "invalid"),
        ("whoami", "inconclusive"),
        ("again", "inconclusive"),
        ("whoami", "passed"),
        ("again", "passed"),
    ]
