"""How much exact counts vary by themselves."""

import math
from typing import Any

import pytest

from authbench.gate.calibration import CalibrationRow, clopper_pearson
from authbench.gate.exact_calibration import _row

CALLS = "python_calls_per_request"


def row(values: Any, injected: float | None = None) -> CalibrationRow:
    return _row("jwt", CALLS, 0, values, injected, 0.03, 1.25)


def test_a_count_that_never_varies_finds_whatever_is_over_the_margin() -> None:
    found = row({"base": [900] * 5, "twin": [900] * 5, "cand": [900] * 5})
    assert (found.pairs, found.false_alarm_rate, found.passed_rate) == (5, 0.0, 1.0)
    assert found.false_alarm_interval == clopper_pearson(0, 5)
    assert (found.smallest_change_found, found.spread_between_launches) == (0.03, 0.0)
    assert (found.injected, found.injected_measured, found.found_rate, found.found_interval) == (None, None, None, None)
    assert (found.tier, found.seconds, found.independent_verdicts) == (0, 6.2, 5)


def test_what_it_varies_by_is_added_to_the_margin() -> None:
    found = row({"base": [1000, 1000, 1000], "cand": [1001, 998, 1000]})
    assert found.spread_between_launches == pytest.approx(0.002)
    assert found.smallest_change_found == pytest.approx(0.032)


def test_a_pair_over_the_margin_is_a_false_alarm() -> None:
    found = row({"base": [1000] * 4, "cand": [1000, 1031, 1029, 1000]})
    assert (found.false_alarm_rate, found.passed_rate) == (0.25, 0.75)
    assert found.false_alarm_interval == clopper_pearson(0.25, 4)


def test_what_was_injected_is_found_where_it_is_over_the_margin() -> None:
    found = row({"base": [1000] * 4, "cand": [1000] * 4, "slow": [1050, 1051, 1049, 1050]}, 0.05)
    assert found.found_rate == 1.0
    assert found.found_interval == clopper_pearson(1, 4)
    assert found.injected_measured == pytest.approx((0.05, 0.049, 0.051))
    under = row({"base": [1000] * 4, "cand": [1000] * 4, "slow": [1000] * 4}, 0.05)
    assert under.found_rate == 0.0  # a burden that calls no function is not seen by counting calls


def test_a_count_that_could_not_be_taken_has_no_pairs() -> None:
    found = row({})
    assert (found.pairs, found.independent_verdicts) == (0, 0)
    assert found.false_alarm_interval == (0.0, 1.0)
    assert math.isfinite(found.seconds)


def test_a_count_that_could_not_be_taken_claims_nothing() -> None:
    found = row({})
    assert found.smallest_change_found is None
    assert found.spread_between_launches is None
