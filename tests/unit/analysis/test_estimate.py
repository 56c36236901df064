"""Intervals: n is launches, and 95 % means 95 %."""

import math

import numpy as np
import pytest

from authbench.analysis.bootstrap import check, resampled_means
from authbench.analysis.estimate import Observation, difference, geometric_mean, log_ratios, log_spread, mean, ratio

RUNS = 3000


def windows(random, launches, blocks, level, launch_sd=0.015, window_sd=0.01):
    """Observations of one strategy: a launch effect, and window noise within it."""
    bias = random.normal(0, launch_sd, launches)
    return [
        Observation(launch, launch * blocks + block, level * math.exp(bias[launch] + random.normal(0, window_sd)))
        for launch in range(launches)
        for block in range(blocks)
    ]


@pytest.mark.parametrize(("launches", "blocks"), [(6, 1), (4, 3)])
def test_the_interval_of_a_ratio_covers_the_truth_95_times_in_100(launches, blocks):
    random = np.random.default_rng(20250131)
    hits = 0
    for _ in range(RUNS):
        found = ratio(windows(random, launches, blocks, 1.2), windows(random, launches, blocks, 1.0))
        hits += found.low <= 1.2 <= found.high

    assert 0.93 <= hits / RUNS <= 0.97


def test_drift_of_the_machine_leaves_a_ratio_alone():
    drift = [1.0, 1.4, 0.8, 1.1]
    ours = [Observation(n, n, 2.0 * d) for n, d in enumerate(drift)]
    theirs = [Observation(n, n, 1.0 * d) for n, d in enumerate(drift)]

    found = ratio(ours, theirs)

    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))
    assert mean(ours, "ms").high - mean(ours, "ms").low > 1


def test_n_is_launches_however_many_windows_they_hold():
    few = ratio(windows(np.random.default_rng(1), 3, 50, 1.0), windows(np.random.default_rng(2), 3, 50, 1.0))

    assert few.n == 3


def test_only_blocks_that_hold_both_are_compared():
    ours = [Observation(0, 0, 2.0), Observation(0, 1, 99.0), Observation(1, 2, 2.0)]
    theirs = [Observation(0, 0, 1.0), Observation(1, 2, 1.0), Observation(2, 3, 5.0)]

    assert log_ratios(ours, theirs) == {0: [pytest.approx(math.log(2))], 1: [pytest.approx(math.log(2))]}
    assert difference(ours, theirs, "ms").value == pytest.approx(1.0)


@pytest.mark.parametrize("launches", [0, 1])
def test_too_few_launches_give_no_interval(launches):
    rows = windows(np.random.default_rng(1), launches, 2, 1.0)
    found = ratio(rows, rows)

    assert (found is None) if launches == 0 else (found.low is None and found.p_value() is None)
    assert log_spread(rows) is None


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_has_no_logarithm_has_no_ratio(value):
    rows = [Observation(0, 0, value), Observation(1, 1, 1.0)]
    ones = [Observation(0, 0, 1.0), Observation(1, 1, 1.0)]

    assert ratio(rows, ones) is None
    assert geometric_mean(rows, "ms") is None
    assert mean(rows, "ms") is not None


def test_p_values_without_spread_are_certain():
    same = [Observation(n, n, 3.0) for n in range(3)]
    half = [Observation(n, n, 1.5) for n in range(3)]

    assert ratio(same, same).p_value() == 1.0
    assert ratio(same, half).p_value() == 0.0
    assert ratio(same, half).p_value(1.0, "above") == 0.0
    assert ratio(same, half).p_value(1.0, "below") == 1.0


def test_the_bootstrap_agrees_where_launches_are_alike_and_objects_where_one_stands_apart():
    random = np.random.default_rng(3)
    ones = [Observation(n, n, 1.0) for n in range(12)]
    calm = windows(random, 12, 1, 1.1)
    lone = [Observation(n, n, 9.0 if n == 5 else 1.1 + n / 1000) for n in range(12)]

    assert check(ratio(calm, ones), log_ratios(calm, ones), "calm") is None
    assert check(ratio(lone, ones), log_ratios(lone, ones), "lone").code == "bootstrap-disagrees"
    assert check(ratio(calm[:4], ones), log_ratios(calm[:4], ones), "few").code == "too-few-launches"


def test_the_bootstrap_resamples_launches_first():
    apart = {0: [0.0] * 50, 1: [1.0] * 50}

    assert resampled_means(apart).std() == pytest.approx(math.sqrt(0.25 / 2), rel=0.05)
    assert (resampled_means(apart) == resampled_means(apart)).all()
