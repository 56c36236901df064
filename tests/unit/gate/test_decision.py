"""What the two stages say: every outcome, bounds against SciPy, and when a stage is over."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from authbench.gate.decision import Bounds, Plan, bounds, decide, enough, is_above, is_below

MARGIN = 0.03
SPREAD = (-0.002, -0.001, 0.0, 0.001, 0.002)
BELOW = tuple(math.log1p(0.000) + each for each in SPREAD)
ABOVE = tuple(math.log1p(0.060) + each for each in SPREAD)
BETWEEN = tuple(math.log1p(0.030) + each for each in SPREAD)
WIDE = (-0.4, 0.4, -0.5, 0.5)
LOGS = st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=45)


@pytest.mark.parametrize(
    ("first", "second", "outcome", "said"),
    [
        (BELOW, None, "pass", "the interval lies below +3 %"),
        (BETWEEN, None, "inconclusive", "stage one does not lie below +3 %"),
        (ABOVE, None, "inconclusive", "stage one does not lie below +3 %"),
        (WIDE, None, "inconclusive", "stage one does not lie below +3 %"),
        (BELOW, ABOVE, "pass", "the interval lies below +3 %"),  # stage one alone decides
        (BETWEEN, BELOW * 3, "pass", "over both stages it lies below +3 %"),
        (BETWEEN, BETWEEN, "inconclusive", "do not agree"),
        (BETWEEN, ABOVE, "inconclusive", "do not agree"),
        (ABOVE, BELOW, "inconclusive", "do not agree"),
        (ABOVE, BETWEEN, "inconclusive", "do not agree"),
        (ABOVE, ABOVE, "regression", "both stages lie above +3 %"),
        (ABOVE, WIDE, "inconclusive", "do not agree"),
        (WIDE, ABOVE, "inconclusive", "do not agree"),
        (ABOVE, (), "inconclusive", ""),
        (ABOVE, ABOVE[:1], "inconclusive", ""),
        ((), None, "inconclusive", "fewer than two launches"),
        ((), ABOVE, "inconclusive", "fewer than two launches"),
        ((0.0,), None, "inconclusive", "fewer than two launches"),
        ((0.5,), ABOVE, "inconclusive", "fewer than two launches"),
    ],
)
def test_the_table_of_outcomes(first: Sequence[float], second: Sequence[float] | None, outcome: str, said: str) -> None:
    found = decide(first, second, MARGIN)
    assert found.outcome == outcome
    assert said in found.why


def test_the_bounds_of_all_stages_are_there_for_people() -> None:
    found = decide(BETWEEN, ABOVE, MARGIN)
    assert found.first == bounds(BETWEEN)
    assert found.second == bounds(ABOVE)
    assert found.all == bounds([*BETWEEN, *ABOVE])
    alone = decide(BELOW, ABOVE, MARGIN)
    assert (alone.first, alone.second, alone.all) == (bounds(BELOW), None, None)


def test_an_improvement_passes() -> None:
    assert decide([log - 0.3 for log in BELOW], None, MARGIN).outcome == "pass"


@given(LOGS)
def test_bounds_are_those_of_scipy(logs: list[float]) -> None:
    found = bounds(logs)
    assert found is not None
    error = stats.sem(logs) if np.ptp(logs) else 0.0
    middle, degrees = np.mean(logs), len(logs) - 1

    def at(share: float) -> float:
        return float(np.exp(middle + stats.t.ppf(share, degrees) * error))

    assert found.launches == len(logs)
    assert found.ratio == pytest.approx(stats.gmean(np.exp(logs)))
    assert found.lower == pytest.approx(at(0.08))
    assert found.upper == pytest.approx(at(0.98))
    assert found.interval == pytest.approx((at(0.025), at(0.975)))
    assert found.log_sd == pytest.approx(np.std(logs, ddof=1), abs=1e-15)
    assert found.interval[0] <= found.lower <= found.ratio <= found.interval[1] <= found.upper


def test_a_stage_that_lies_above_is_what_a_one_sided_t_test_finds() -> None:
    rng = np.random.default_rng(5)
    logs = rng.normal(0.035, 0.013, 8)
    for margin in np.linspace(0, 0.07, 15):
        above = stats.ttest_1samp(logs, np.log1p(margin), alternative="greater").pvalue < 0.08
        below = stats.ttest_1samp(logs, np.log1p(margin), alternative="less").pvalue < 0.025
        assert is_above(bounds(logs.tolist()), margin) == above
        assert is_below(bounds(logs.tolist()), margin) == below


def test_without_two_launches_there_are_no_bounds() -> None:
    assert bounds(()) is None
    one = bounds([0.5])
    assert one == Bounds(launches=1, ratio=math.exp(0.5), lower=None, upper=None, interval=None, log_sd=None)
    for found in (None, one):
        assert not is_below(found, MARGIN)
        assert not is_above(found, MARGIN)


@pytest.mark.parametrize(("change", "outcome"), [(0.0, "pass"), (0.029, "pass"), (0.031, "regression")])
def test_without_any_spread_the_ratio_alone_decides(change: float, outcome: str) -> None:
    logs = [math.log1p(change)] * 8
    found = bounds(logs)
    assert found is not None
    assert (found.log_sd, found.lower) == (pytest.approx(0, abs=1e-12), pytest.approx(1 + change))
    assert decide(logs, logs, MARGIN).outcome == outcome


def test_a_margin_of_nothing_can_be_passed_by_what_got_better_only() -> None:
    assert decide([log - 0.01 for log in BELOW], None, 0.0).outcome == "pass"
    assert decide(BELOW, BELOW, 0.0).outcome == "inconclusive"
    assert decide(ABOVE, ABOVE, 0.0).outcome == "regression"


PLAN = Plan(fewest=4, most=10, half_width=0.01)


def test_a_stage_is_not_over_before_the_fewest_and_always_at_the_most() -> None:
    for count in range(4):
        assert not enough([0.0] * count, PLAN)
    assert enough([0.0] * 4, PLAN)
    assert not enough(([-0.5, 0.5] * 5)[:9], PLAN)
    assert enough([-0.5, 0.5] * 5, PLAN)
    assert enough([-0.5, 0.5] * 6, PLAN)


@given(LOGS)
def test_between_them_it_is_over_once_the_interval_is_narrow(logs: list[float]) -> None:
    half = float(stats.t.ppf(0.975, len(logs) - 1)) * (float(stats.sem(logs)) if np.ptp(logs) else 0.0)
    plan = Plan(fewest=2, most=100, half_width=0.05)
    assert enough(logs, plan) == (half <= 0.05) or half == pytest.approx(0.05)


@given(logs=LOGS, shift=st.floats(-1, 1))
def test_when_a_stage_ends_has_nothing_to_do_with_where_its_launches_lie(logs: list[float], shift: float) -> None:
    half = float(stats.t.ppf(0.975, len(logs) - 1)) * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    for width in (0.005, 0.01, 0.02, 0.05):
        plan = Plan(fewest=3, most=40, half_width=width)
        if half != pytest.approx(width):  # a tie is a matter of rounding
            assert enough([log + shift for log in logs], plan) == enough(logs, plan)
            assert enough([-log for log in logs], plan) == enough(logs, plan)
            assert enough(sorted(logs), plan) == enough(logs, plan)


def test_a_plan_needs_two_launches() -> None:
    for fewest in (-1, 0, 1):
        with pytest.raises(ValidationError):
            Plan(fewest=fewest)
    assert Plan() == Plan(fewest=8, most=40, half_width=0.01)
