"""95 % means 95 %: intervals and verdicts against made-up machines whose truth is known.

Every figure here is itself measured, on RUNS runs, so a bound is asserted by a binomial test: a figure fails where runs
like these would show it in less than 1 of 100 cases if the bound held. With 3,000 runs an interval that covers 91 % of
the truths or less, or 98.5 % or more, fails in at least 95 of 100 cases; one that covers 93 to 97 % passes in 99.
`test_what_is_wrong_is_found` proves that wrong intervals do fail. The draws are fixed: nothing here is flaky.
"""

import math
from collections.abc import Callable
from statistics import fmean

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy import stats

from authbench.analysis.estimate import Observation, log_ratios, ratio
from authbench.analysis.verdict import holm, judge
from tests.unit.analysis.noisy import Noise, Windows, observed, seen, windows

RUNS = 3000
DOUBT = 0.01
TRUTH = 1.2
Interval = Callable[[list[Observation], list[Observation]], tuple[float, float] | None]


def ours(subject: list[Observation], reference: list[Observation]) -> tuple[float, float] | None:
    found = ratio(subject, reference)
    return None if found is None or found.low is None or found.high is None else (found.low, found.high)


def coverage(made: Windows, interval: Interval = ours, truth: float = TRUTH) -> tuple[int, int]:
    """(intervals that hold the truth, intervals) of the second strategy to the first."""
    intervals = [found for reference, subject in observed(made) if (found := interval(subject, reference))]
    return sum(low <= truth <= high for low, high in intervals), len(intervals)


def at_least(share: float, hits: int, runs: int) -> bool:
    return bool(stats.binomtest(hits, runs, share, alternative="less").pvalue > DOUBT)


def at_most(share: float, hits: int, runs: int) -> bool:
    return bool(stats.binomtest(hits, runs, share, alternative="greater").pvalue > DOUBT)


def highest(noise: Noise) -> float:
    """0.97, but where the plan has nothing to put a hit window aside with: there the interval errs to caution.

    It also does, up to 98 %, in one corner that no machine of ours was seen in: noise of 0.5 % and no instance effect,
    yet 5 % of the windows hit, 5 % of the blocks stepped, and two blocks a launch, or four of which a tenth is lost.
    """
    return 0.99 if noise.disturbed and noise.launches < 8 and noise.blocks < 4 else 0.97


NOISES = st.builds(
    Noise,
    launches=st.integers(4, 24),
    blocks=st.integers(1, 8),
    between=st.floats(0, 0.15),
    within=st.floats(0.005, 0.10),
    drift=st.floats(0, math.log(1.6)),
    rho=st.floats(0, 0.95),
    steps=st.floats(0, 0.05),
    step=st.floats(1, 1.8),
    hits=st.floats(0, 0.05),
    missing=st.floats(0, 0.1),
)


@given(NOISES)
@example(Noise(launches=6))
@example(Noise(launches=8, hits=0.05, drift=0.2, rho=0.9, steps=0.05))
@example(Noise(launches=16, blocks=2, hits=0.05, drift=0.2, rho=0.9, steps=0.05, missing=0.1))
@example(Noise(launches=24, blocks=8, between=0, within=0.005, hits=0.05))
@settings(derandomize=True, deadline=None, database=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_the_interval_holds_the_truth_93_to_97_times_in_100(noise: Noise) -> None:
    hits, runs = coverage(windows(noise, np.random.default_rng(20250131), RUNS, (1.0, TRUTH)))

    assert at_least(0.93, hits, runs), f"{hits} of {runs}"
    assert at_most(highest(noise), hits, runs), f"{hits} of {runs}"


@pytest.mark.parametrize("launches", [6, 8, 16])
def test_it_does_under_the_noise_of_a_real_machine(launches: int) -> None:
    hits, runs = coverage(seen(launches, np.random.default_rng(1), RUNS, TRUTH))

    assert at_least(0.93, hits, runs), f"{hits} of {runs}"
    assert at_most(0.97, hits, runs), f"{hits} of {runs}"


def windows_as_if_independent(subject: list[Observation], reference: list[Observation]) -> tuple[float, float]:
    logs = [log for blocks in log_ratios(subject, reference).values() for log in blocks]
    low, high = stats.ttest_1samp(logs, 0).confidence_interval()
    return math.exp(low), math.exp(high)


def requests_as_if_independent(subject: list[Observation], reference: list[Observation]) -> tuple[float, float]:
    """As if each of 500 requests a window, whose times spread by half their mean, were a measurement of its own."""
    middle = math.log(fmean(row.value for row in subject) / fmean(row.value for row in reference))
    half = 1.96 * math.sqrt(0.5**2 / 500 * (1 / len(subject) + 1 / len(reference)))
    return math.exp(middle - half), math.exp(middle + half)


def blocks_not_paired(subject: list[Observation], reference: list[Observation]) -> tuple[float, float]:
    logs = [[math.log(row.value) for row in rows] for rows in (subject, reference)]
    low, high = stats.ttest_ind(*logs, equal_var=False).confidence_interval()
    return math.exp(low), math.exp(high)


def normal_for_t(subject: list[Observation], reference: list[Observation]) -> tuple[float, float]:
    found = ratio(subject, reference)
    assert found is not None
    assert found.log_error is not None
    half = 1.96 * found.log_error
    return math.exp(found.log_mean - half), math.exp(found.log_mean + half)


@pytest.mark.parametrize(
    ("interval", "noise", "most"),
    [
        (windows_as_if_independent, Noise(launches=6, blocks=8, between=0.03), 0.70),
        (requests_as_if_independent, Noise(launches=6, blocks=2, between=0.05), 0.70),
        (requests_as_if_independent, Noise(launches=6, drift=0.3, missing=0.1), 0.70),
        (blocks_not_paired, Noise(launches=12, between=0.01, drift=0.3, rho=0.9), 1.0),  # covers all: useless
        (normal_for_t, Noise(launches=6), 0.92),
    ],
)
def test_what_is_wrong_is_found(interval: Interval, noise: Noise, most: float) -> None:
    """The assertions of the test above can fail, and ours would not."""
    made = windows(noise, np.random.default_rng(2), RUNS, (1.0, TRUTH))
    hits, runs = coverage(made, interval)

    assert hits / runs <= most
    assert not (at_least(0.93, hits, runs) and at_most(0.97, hits, runs)), f"{hits} of {runs}"
    assert at_least(0.93, *coverage(made))
    assert at_most(0.97, *coverage(made))


@pytest.mark.parametrize("noise", [Noise(launches=8, hits=0.05), Noise(launches=16, blocks=2, hits=0.05)])
def test_a_hit_window_costs_little(noise: Noise) -> None:
    """Four fifths of the width, at the most, of what the mean of all launches would leave."""
    made = list(observed(windows(noise, np.random.default_rng(3), 500, (1.0, TRUTH))))

    def width(interval: Interval) -> float:
        bounds = [found for reference, subject in made if (found := interval(subject, reference))]
        return fmean(math.log(high / low) for low, high in bounds)

    def mean_of_launches(subject: list[Observation], reference: list[Observation]) -> tuple[float, float]:
        logs = [fmean(blocks) for blocks in log_ratios(subject, reference).values()]
        low, high = stats.ttest_1samp(logs, 0).confidence_interval()
        return math.exp(low), math.exp(high)

    assert width(ours) < 0.8 * width(mean_of_launches)


@pytest.mark.parametrize("truth", [0.97, 1.03])
@pytest.mark.parametrize(
    "noise",
    [
        Noise(launches=6, between=0.005, within=0.005),
        Noise(launches=8, between=0.005, within=0.005, hits=0.03),
        Noise(launches=16, blocks=2, drift=0.2, rho=0.9),
    ],
)
def test_at_the_margin_equivalent_is_said_in_2_5_of_100_at_most(noise: Noise, truth: float) -> None:
    made = observed(windows(noise, np.random.default_rng(4), RUNS, (1.0, truth)))
    found = [ratio(subject, reference) for reference, subject in made]
    said = sum(judge(each, each.p_value() if each else None, 0.03, "lower").word == "equivalent" for each in found)

    assert said > 0  # else the test could not fail
    assert at_most(0.025, said, len(found)), f"{said} of {len(found)}"


@pytest.mark.parametrize(
    "noise",
    [
        Noise(launches=6, between=0.05, within=0.03),
        Noise(launches=8, between=0.05, within=0.03, hits=0.05),
        Noise(launches=12, blocks=2, between=0.08, within=0.05, drift=0.3, rho=0.9, steps=0.02),
    ],
)
def test_among_nine_alike_a_better_or_worse_is_found_in_5_of_100_runs_at_most(
    noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels collects garbage at every correction: 70 ms each
    runs, wrong, uncorrected = 2000, 0, 0
    for reference, *subjects in observed(windows(noise, np.random.default_rng(5), runs, (1.0,) * 10)):
        found = [ratio(subject, reference) for subject in subjects]
        p_values = [each.p_value() if each else None for each in found]
        words = {judge(each, p, 0.03, "lower").word for each, p in zip(found, holm(p_values), strict=True)}
        wrong += bool(words & {"better", "worse"})
        words = {judge(each, p, 0.03, "lower").word for each, p in zip(found, p_values, strict=True)}
        uncorrected += bool(words & {"better", "worse"})

    assert at_most(0.05, wrong, runs), f"{wrong} of {runs}"
    assert not at_most(0.05, uncorrected, runs)  # without Holm the test fails
