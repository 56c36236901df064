"""Intervals: n is launches, and 95 % means 95 %."""

import math

import numpy as np
import pytest
from scipy import stats

from authbench.analysis.bootstrap import check, resampled_means
from authbench.analysis.estimate import (
    Observation,
    Ratio,
    difference,
    geometric_mean,
    located,
    log_ratios,
    log_spread,
    mean,
    no_ratio,
    ratio,
    ratio_of_logs,
)


def windows(random, launches, blocks, level, launch_sd=0.015, window_sd=0.01):
    """Observations of one strategy: a launch effect, and window noise within it."""
    bias = random.normal(0, launch_sd, launches)
    return [
        Observation(launch, launch * blocks + block, level * math.exp(bias[launch] + random.normal(0, window_sd)))
        for launch in range(launches)
        for block in range(blocks)
    ]


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


def test_a_launch_of_many_blocks_is_its_median_block():
    found = ratio_of_logs({launch: [0.1, 0.11, 5.0] for launch in range(4)})

    assert found.log_mean == pytest.approx(0.11)
    assert (found.trimmed, found.df, found.method) == (0, 3, "t on logs over launches")


@pytest.mark.parametrize(("launches", "blocks", "trimmed"), [(7, 1, 0), (8, 1, 1), (11, 2, 1), (12, 2, 2), (24, 3, 0)])
def test_launches_are_put_aside_as_the_plan_says_not_the_values(launches, blocks, trimmed):
    for far in (0.0, 9.0):
        logs = {launch: [0.1 * launch + (far if launch == 1 else 0)] * blocks for launch in range(launches)}

        assert ratio_of_logs(logs).trimmed == trimmed
        assert ratio_of_logs(logs).n == launches


def test_a_launch_that_stands_apart_moves_a_trimmed_ratio_little():
    logs = {launch: [0.1 + launch / 1000] for launch in range(10)}
    struck = {**logs, 4: [3.0]}

    assert ratio_of_logs(struck).value == pytest.approx(ratio_of_logs(logs).value, rel=0.002)
    assert ratio_of_logs(struck).high < 1.12


@pytest.mark.parametrize("n", [8, 10, 16, 24])
def test_the_trimmed_error_is_yuens(n):
    """scipy has Yuen's test for two samples; against zeros, which have no error, it is that of one."""
    values = np.random.default_rng(n).normal(3, 1, n).tolist()
    found = located(values, n // 6)
    yuen = stats.ttest_ind(values, [0.0] * n, equal_var=False, trim=(n // 6 + 0.5) / n)

    assert found.value / found.error == pytest.approx(yuen.statistic)
    assert 2 * stats.t.sf(found.value / found.error, found.df) == pytest.approx(yuen.pvalue)


def test_without_trimming_it_is_the_plain_t_interval():
    values = np.random.default_rng(1).normal(0, 1, 6).tolist()

    assert located(values).interval() == pytest.approx(tuple(stats.ttest_1samp(values, 0).confidence_interval()))


def test_p_values_are_students():
    found = ratio_of_logs({launch: [value] for launch, value in enumerate([0.1, 0.3, 0.2, 0.15])})
    test = stats.ttest_1samp([0.1, 0.3, 0.2, 0.15], math.log(1.1), alternative="greater")

    assert found.p_value(1.1, "above") == pytest.approx(test.pvalue)
    assert found.p_value(1.1, "below") == pytest.approx(1 - test.pvalue)


def test_a_summary_of_an_older_authbench_still_has_p_values():
    found = ratio_of_logs({launch: [value] for launch, value in enumerate([0.1, 0.3, 0.2, 0.15])})
    told = found.model_dump(exclude={"log_error", "df", "trimmed"})

    assert Ratio.model_validate(told).p_value() == pytest.approx(found.p_value())


def test_launches_count_alike_however_many_blocks_they_lost():
    logs = {0: [1.0] * 8, 1: [2.0], 2: [3.0, 3.0]}

    assert ratio_of_logs(logs).log_mean == pytest.approx(2.0)
    assert ratio_of_logs(logs).n == 3


def test_two_values_of_one_block_are_a_mistake_of_the_caller():
    rows = [Observation(0, 0, 1.0), Observation(0, 0, 2.0)]

    with pytest.raises(ValueError, match="launch 0, block 0"):
        ratio(rows, rows)


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_why_there_is_no_ratio_is_said(value):
    ones = [Observation(0, 0, 1.0), Observation(1, 1, 1.0)]
    bad = [Observation(0, 0, 1.0), Observation(1, 1, value)]

    assert ratio(bad, ones) is None
    assert "1 of 2 blocks" in no_ratio(bad, ones)
    assert no_ratio(ones, []) == "no block holds both sides"
    assert geometric_mean(bad, "ms") is None


def test_what_cannot_be_compared_does_not_spoil_what_can():
    """A value without a logarithm in a block that the other side lacks."""
    assert ratio([Observation(0, 0, 2.0), Observation(1, 1, 0.0)], [Observation(0, 0, 1.0)]).value == 2


@pytest.mark.parametrize(("launches", "blocks"), [(6, 2), (8, 8), (10, 1), (16, 2)])
def test_the_bootstrap_seldom_objects_to_a_good_interval(launches, blocks):
    """Also where windows differ and launches do not: blocks are not drawn twice."""
    random = np.random.default_rng(4)
    made = [{launch: random.normal(0, 0.02, blocks).tolist() for launch in range(launches)} for _ in range(100)]

    assert sum(check(ratio_of_logs(logs), logs, "") is not None for logs in made) <= 10


def test_where_launches_were_put_aside_on_one_side_it_is_told():
    logs = {launch: [2.0 if launch in (1, 7) else 0.1 + launch / 1000] for launch in range(12)}
    found = check(ratio_of_logs(logs), logs, "x / y")

    assert found.code == "bootstrap-disagrees"
    assert "2 launches put aside" in found.message
