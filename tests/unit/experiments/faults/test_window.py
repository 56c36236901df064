"""Shares, recovery and the time line follow from when requests were due and how they ended."""

import json

import pytest

from authbench.experiments.faults.crowd.outcome import Ended
from authbench.experiments.faults.window import Window
from tests.unit.experiments.faults.requests import ended

WINDOW = Window(begin_s=1.0, end_s=2.0, until_s=4.0)


def every_tenth(*wrong: tuple[float, str]) -> list[Ended]:
    """One request each 0.1 s of four seconds, right but for those named."""
    outcomes = dict(wrong)
    return [ended(tenth / 10, outcomes.get(tenth / 10, "ok")) for tenth in range(40)]  # type: ignore[arg-type]


def test_shares_are_of_what_was_due_then() -> None:
    values = WINDOW.values(every_tenth((1.0, "failed"), (1.5, "unknown"), (2.0, "refused"), (2.1, "refused")), 0.5)
    assert (values["ok_before_share"], values["ok_during_share"], values["ok_after_share"]) == (1.0, 0.8, 0.9)
    assert [values[name] for name in ("sent", "ok", "refused", "failed", "unknown")] == [40, 36, 2, 1, 1]


def test_medians_are_of_right_answers_from_when_they_were_due() -> None:
    calm = [ended(tenth / 10) for tenth in range(9)]
    slow = [ended(1.1, took_s=0.3), ended(1.2, late_s=0.1, took_s=0.2), ended(1.3, "failed", took_s=5.0)]
    values = WINDOW.values([*calm, *slow], 0.5)
    assert values["took_before_ms"] == pytest.approx(10)
    assert values["took_during_ms"] == pytest.approx(300)
    assert WINDOW.values(calm, 0.5)["took_during_ms"] is None


def test_a_fault_that_is_over_at_once_has_no_share() -> None:
    assert Window(1.05, 1.051, 4.0).values(every_tenth(), 0.5)["ok_during_share"] is None


def test_recovery_counts_from_the_end_to_the_last_request_that_went_wrong() -> None:
    values = WINDOW.values(every_tenth((1.9, "failed"), (2.0, "failed"), (2.3, "refused")), 0.5)
    assert values["recovered_s"] == pytest.approx(0.3)
    assert values["answering_s"] == 0.0  # the last to fail was due just when it ended
    values = WINDOW.values(every_tenth((2.3, "failed"), (3.8, "unknown")), 0.5)
    assert values["recovered_s"] is None  # 0.2 s say nothing


def test_without_a_clean_stretch_nobody_recovered() -> None:
    refused = [(tenth / 10, "refused") for tenth in range(20, 40)]
    values = WINDOW.values(every_tenth(*refused), 0.5)
    assert values["recovered_s"] is None
    assert values["answering_s"] == 0.0  # every request was answered, if wrongly


def test_a_stretch_in_which_nothing_was_due_shows_nothing() -> None:
    assert WINDOW.free_from([ended(0.5)], {"failed"}, 0.5) is None


def test_it_does_not_count_where_the_load_went_wrong_before_or_was_late() -> None:
    assert WINDOW.reasons(every_tenth((1.2, "failed"))) == ()
    assert [reason.code for reason in WINDOW.reasons(every_tenth((0.4, "failed")))] == ["not-calm"]
    assert [reason.code for reason in WINDOW.reasons([ended(0.2, late_s=0.5)])] == ["generator-late"]
    assert [reason.code for reason in WINDOW.reasons([])] == ["not-calm"]


def test_what_the_fault_met_under_way_is_the_faults() -> None:
    assert WINDOW.reasons([ended(0.1), ended(0.95, "failed", took_s=0.1)]) == ()


def test_the_time_line_counts_every_request_once_from_the_faults_beginning() -> None:
    told = json.loads(WINDOW.timeline(every_tenth((1.0, "failed"), (1.5, "unknown")), 0.5))
    assert told["first"] == -2
    assert told["outcomes"]["failed"] == [0, 0, 1, 0, 0, 0, 0, 0]
    assert told["outcomes"]["unknown"] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert sum(map(sum, told["outcomes"].values())) == 40
    assert told["details"] == {"failed: 503": 1, "unknown: no whole answer": 1}
