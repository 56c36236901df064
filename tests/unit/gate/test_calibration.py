"""The interval of a rate, verdicts drawn just as the gate takes launches, and the smallest change found."""

import math
import random
from collections.abc import Sequence
from statistics import stdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from authbench.errors import AuthbenchError
from authbench.gate import calibration
from authbench.gate.calibration import (
    DRAWS,
    LARGEST,
    LAUNCHES_A_STAGE,
    Verdicts,
    changes_by_seconds,
    clopper_pearson,
    drawn_verdicts,
    smallest_change,
    spread_of,
    verdict_of,
)
from authbench.gate.cpu import measure_stages
from authbench.gate.decision import Plan, bounds
from authbench.gate.windows import Window
from tests.unit.gate.made import launched

MARGIN = 0.03
SMALL = Plan(fewest=3, most=6, half_width=0.01)


def logs_of(seed: int, count: int, spread: float = 0.013, change: float = 0.0) -> list[float]:
    return list(np.random.default_rng(seed).normal(math.log1p(change), spread, count))


# The interval of a rate


@pytest.mark.parametrize(
    ("hits", "of"), [(0, 1), (1, 1), (0, 60), (60, 60), (1, 60), (3, 49), (7, 9), (30, 60), (999, 1000)]
)
def test_the_interval_of_a_rate_is_the_exact_one(hits: int, of: int) -> None:
    exact = stats.binomtest(hits, of).proportion_ci(confidence_level=0.95, method="exact")
    assert clopper_pearson(hits / of, of) == pytest.approx((exact.low, exact.high))


@given(of=st.integers(1, 500), drawn=st.integers(0, 1000))
def test_the_interval_holds_the_rate_and_stays_within_nothing_and_all(of: int, drawn: int) -> None:
    share = drawn / 1000
    low, high = clopper_pearson(share, of)
    assert 0 <= low <= share <= high <= 1


@given(of=st.integers(2, 200), hits=st.data())
def test_a_fractional_count_lies_between_its_neighbours(of: int, hits: st.DataObject) -> None:
    below = hits.draw(st.integers(0, of - 1))
    bounds_of = [clopper_pearson(count / of, of) for count in (below, below + 0.5, below + 1)]
    assert bounds_of == sorted(bounds_of)


def test_a_rate_is_as_sure_as_the_verdicts_that_share_no_launch() -> None:
    drawn = Verdicts(outcomes=("regression",) * 1 + ("pass",) * 999, launches=(10,) * 500 + (20,) * 500)
    rate = drawn.rate("regression", run=60)
    assert rate.rate == 0.001
    assert rate.independent == 4  # of 60 launches, 15 a verdict
    assert rate.interval == clopper_pearson(0.001, 4)
    assert rate.interval[1] > 0.5  # a thousand drawn verdicts are not a thousand verdicts


@pytest.mark.parametrize("run", [0, 1, 14])
def test_a_run_shorter_than_one_verdict_is_one(run: int) -> None:
    assert Verdicts(outcomes=("pass",), launches=(15,)).rate("regression", run).independent == 1


# Verdicts


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    change=st.sampled_from([0.0, 0.02, 0.03, 0.04, 0.06]),
    spread=st.sampled_from([0.001, 0.013, 0.03]),
    plan=st.sampled_from([Plan(), SMALL, Plan(fewest=5, most=5)]),
)
def test_a_verdict_takes_launches_exactly_as_the_stages_of_the_gate_do(
    seed: int, change: float, spread: float, plan: Plan
) -> None:
    logs = logs_of(seed, 2 * plan.most, spread, change)
    made: list[int] = []

    def launch(stage: int, number: int, strategies: Sequence[str]) -> Sequence[Window]:
        assert list(strategies) == ["jwt"]
        made.append(stage)
        return launched(logs[number], stage=stage, launch=number)

    readings = measure_stages(["jwt"], {"jwt": MARGIN}, plan, launch, stage_s=math.inf, clock=lambda: 0.0)
    told, taken = verdict_of(logs, plan, MARGIN)
    measured = readings.decision("jwt", "cand", MARGIN)
    assert (told.outcome, told.why) == (measured.outcome, measured.why)
    assert taken == len(made)
    assert told.first is not None
    assert told.first.launches == made.count(1)
    assert (told.second.launches if told.second else 0) == made.count(2)


def test_a_pass_at_once_takes_no_launch_of_a_second_stage() -> None:
    told, taken = verdict_of([0.0, 0.001, -0.001, 5.0, 5.0], SMALL, MARGIN)
    assert (told.outcome, taken) == ("pass", 3)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_run_too_short_says_what_it_can(count: int) -> None:
    told, taken = verdict_of([0.5] * count, SMALL, MARGIN)
    assert told.outcome == "inconclusive"
    assert taken == count


def test_launches_of_a_run_too_short_stand_twice_in_a_verdict() -> None:
    drawn = drawn_verdicts([0.2, -0.2, 0.3, -0.3], SMALL, MARGIN, seed=1, draws=20)
    assert set(drawn.launches) == {12}


def test_each_launch_is_drawn_once_before_any_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sequence[float]] = []

    def spy(logs: Sequence[float], plan: Plan, margin: float) -> Any:
        seen.append(logs)
        return verdict_of(logs, plan, margin)

    monkeypatch.setattr(calibration, "verdict_of", spy)
    logs = logs_of(1, 7)
    drawn_verdicts(logs, SMALL, MARGIN, seed=1, draws=50)
    assert len(seen) == 50
    for each in seen:
        assert len(each) >= 2 * SMALL.most
        for start in range(0, len(each), 7):
            assert sorted(each[start : start + 7]) == sorted(logs)
    assert len({tuple(each[:7]) for each in seen}) > 40  # in ever new orders


def test_the_same_seed_draws_the_same_verdicts_and_another_seed_others() -> None:
    logs = logs_of(2, 30, 0.02, 0.04)
    one = drawn_verdicts(logs, SMALL, MARGIN, seed=1, draws=200)
    assert drawn_verdicts(logs, SMALL, MARGIN, seed=1, draws=200) == one
    assert drawn_verdicts(logs, SMALL, MARGIN, seed=2, draws=200) != one
    assert len(drawn_verdicts(logs, SMALL, MARGIN, seed=1).outcomes) == DRAWS


def test_drawing_neither_reads_nor_moves_anybody_elses_random_state() -> None:
    logs = logs_of(3, 20, 0.02, 0.03)
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist()
    one = drawn_verdicts(logs, SMALL, MARGIN, seed=1, draws=100)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    random.seed(6)
    np.random.seed(6)
    assert drawn_verdicts(logs, SMALL, MARGIN, seed=1, draws=100) == one


def test_a_change_moves_every_launch_by_it() -> None:
    logs = logs_of(4, 20)
    moved = [log + math.log1p(0.04) for log in logs]
    assert drawn_verdicts(logs, SMALL, MARGIN, 1, 100, change=0.04) == drawn_verdicts(moved, SMALL, MARGIN, 1, 100)


class Impatient(random.Random):
    """Draws so often and no more."""

    left = 1000

    def sample(self, *arguments: Any, **options: Any) -> list[Any]:
        Impatient.left -= 1
        if Impatient.left < 0:
            raise TimeoutError("it draws for ever")
        return super().sample(*arguments, **options)


def test_a_run_without_a_launch_that_counts_ends_with_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every window with a wrong answer in it leaves none; `_row` in calibrate.py then draws from nothing."""
    monkeypatch.setattr(Impatient, "left", 1000)
    monkeypatch.setattr(calibration.random, "Random", Impatient)
    try:
        drawn = drawn_verdicts([], SMALL, MARGIN, seed=1, draws=3)
    except AuthbenchError:
        return
    assert set(drawn.outcomes) <= {"inconclusive"}


# The smallest change


def found(logs: Sequence[float], plan: Plan, thousandths: int, seed: int = 1) -> float:
    drawn = drawn_verdicts(logs, plan, MARGIN, seed, calibration.SEARCH_DRAWS, thousandths / 1000)
    return drawn.outcomes.count("regression") / len(drawn.outcomes)


@pytest.mark.parametrize(("seed", "spread"), [(1, 0.004), (2, 0.013), (3, 0.02)])
def test_the_smallest_change_is_what_trying_them_all_finds(
    monkeypatch: pytest.MonkeyPatch, seed: int, spread: float
) -> None:
    monkeypatch.setattr(calibration, "SEARCH_DRAWS", 60)
    logs = logs_of(seed, 12, spread)
    tried = [found(logs, SMALL, each) for each in range(121)]
    assert tried == sorted(tried)  # a larger change is found no less often, draw by draw
    by_force = next(each for each, rate in enumerate(tried) if rate >= 0.95) / 1000
    assert smallest_change(logs, SMALL, MARGIN, 1) == by_force
    assert by_force > MARGIN


def test_the_smallest_change_grows_with_margin_and_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "SEARCH_DRAWS", 60)
    logs = logs_of(1, 12)
    by_margin = [smallest_change(logs, SMALL, margin, 1) for margin in (0.0, 0.01, 0.03)]
    by_spread = [smallest_change([k * log for log in logs], SMALL, MARGIN, 1) for k in (0, 1, 3)]
    for changes in (by_margin, by_spread):
        assert None not in changes
        assert changes == sorted(changes)
        assert len(set(changes)) == len(changes)


def test_without_spread_the_smallest_change_is_the_next_step_over_the_margin() -> None:
    assert smallest_change([0.0] * 8, SMALL, 0.0295, 1) == 0.03
    assert smallest_change([0.0] * 8, SMALL, 0.0, 1) == 0.001


def test_noise_in_which_nothing_is_found_has_no_smallest_change() -> None:
    assert smallest_change([-1.0, 1.0] * 6, SMALL, MARGIN, 1) is None
    assert found([-1.0, 1.0] * 6, SMALL, round(LARGEST * 1000)) < 0.95


def test_more_launches_a_stage_find_smaller_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "SEARCH_DRAWS", 60)
    logs = logs_of(1, 14)
    by_time = changes_by_seconds(logs, MARGIN, 2.5, seed=1)
    counts = [count for count in LAUNCHES_A_STAGE if count <= 14]
    assert counts == [3, 5, 8, 12]
    assert [seconds for seconds, _ in by_time] == [2 * count * 2.5 for count in counts]
    changes = [change for _, change in by_time]
    assert None not in changes
    assert changes == sorted(changes, reverse=True)
    assert by_time[1][1] == smallest_change(logs, Plan(fewest=5, most=5), MARGIN, 1)


def test_a_run_of_two_launches_says_nothing_of_stages_of_three() -> None:
    assert changes_by_seconds([0.0, 0.1], MARGIN, 1.0, seed=1) == ()


# Spread


def test_spread_is_plain_between_launches_and_robust_within() -> None:
    within = [-0.02, -0.01, 0.0, 0.01, 0.02]
    found = spread_of([0.01, -0.01, 0.03], [within, [each + 7 for each in within], [*within[:-1], 99.0]])
    assert found.between_launches == pytest.approx(stdev([0.01, -0.01, 0.03]))
    assert found.between_rounds == pytest.approx(1.4826 * 0.01)


def test_spread_within_normal_launches_is_their_standard_deviation() -> None:
    rounds = [logs_of(seed, 25, 0.02) for seed in range(200)]
    assert spread_of([0.0, 0.0], rounds).between_rounds == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("launches", "rounds", "expected"),
    [
        ([], [], (None, None)),
        ([0.1], [[0.1]], (None, None)),
        ([0.1, 0.1], [[0.1, 0.2], []], (0.0, None)),
        ([0.1, 0.1], [[0.1, 0.2, 0.3], [0.1]], (0.0, pytest.approx(0.14826))),
    ],
)
def test_spread_is_unknown_of_too_few(
    launches: list[float], rounds: list[list[float]], expected: tuple[float | None, float | None]
) -> None:
    found = spread_of(launches, rounds)
    assert (found.between_launches, found.between_rounds) == expected


def test_the_dose_is_the_ratio_over_all_launches() -> None:
    slow = bounds(logs_of(1, 60, 0.013, 0.05))
    assert slow is not None
    assert slow.interval is not None
    assert slow.interval[0] < 1.05 < slow.interval[1]
