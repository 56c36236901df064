"""Schedules are pure: a seed and a rate give the offsets, on any machine."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.schedule import NS, arrivals, constant, endless, poisson


def test_constant_gaps_start_at_zero():
    assert constant(100, duration_s=0.05).tolist() == [0, 10_000_000, 20_000_000, 30_000_000, 40_000_000]


def test_rounding_does_not_accumulate():
    offsets = constant(3, count=3001)
    assert offsets[3000] == 1000 * NS
    assert set(np.diff(offsets)) <= {333_333_333, 333_333_334}


@given(rate=st.floats(0.5, 5000), duration=st.floats(0.01, 3), count=st.integers(1, 500))
def test_bounds_hold_whichever_comes_first(rate, duration, count):
    for kind in ("constant", "poisson"):
        offsets = arrivals(kind, rate, 7, duration_s=duration, count=count)
        assert 1 <= offsets.size <= count
        assert np.all(np.diff(offsets) >= 0)
        assert offsets.size == 1 or offsets[-1] <= duration * NS


def test_count_alone_plans_exactly_that_many():
    assert constant(123, count=400).size == poisson(123, 1, count=400).size == 400


def test_same_seed_same_schedule():
    assert np.array_equal(poisson(300, 7, duration_s=2), poisson(300, 7, duration_s=2))
    assert not np.array_equal(poisson(300, 7, count=10), poisson(300, 8, count=10))


def test_poisson_gaps_are_exponential():
    gaps = np.diff(poisson(1000, 3, count=200_000)) / NS
    assert gaps.mean() == pytest.approx(0.001, rel=0.01)
    assert gaps.std() == pytest.approx(0.001, rel=0.01)
    assert (gaps > 0.001).mean() == pytest.approx(np.exp(-1), rel=0.01)


def test_every_poisson_window_offers_its_rate():
    assert {poisson(500, seed, duration_s=2).size for seed in range(20)} == {1000}
    halves = [(poisson(500, seed, duration_s=2) < NS).sum() for seed in range(200)]
    assert np.mean(halves) == pytest.approx(500, rel=0.01)
    assert np.std(halves) == pytest.approx(250**0.5, rel=0.2)  # binomial: Poisson given the count


def test_constant_shares_make_one_schedule():
    users, rate = 4, 100.0
    shares = [np.concatenate(list(islice(endless("constant", rate, users, user, 0), 3))) for user in range(users)]
    assert np.array_equal(np.sort(np.concatenate(shares)), constant(rate, count=300))


def test_a_late_user_falls_into_step():
    late = next(endless("constant", 100.0, 4, 1, 0, since_ns=35_000_000))
    assert late[:2].tolist() == [50_000_000, 90_000_000]


def test_poisson_shares_are_independent_and_go_on():
    mine = np.concatenate(list(islice(endless("poisson", 1000, 2, 0, 5, since_ns=NS), 20)))
    other = next(endless("poisson", 1000, 2, 1, 5, since_ns=NS))
    assert mine[0] > NS
    assert np.all(np.diff(mine) >= 0)
    assert np.diff(mine).mean() == pytest.approx(NS / 500, rel=0.05)
    assert not np.array_equal(mine[: other.size], other)
