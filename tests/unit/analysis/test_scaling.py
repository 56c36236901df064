"""The Universal Scalability Law: a known law is found again, and what cannot be said is not said."""

import numpy as np
import pytest

from authbench.analysis.scaling import fit, law

COUNTS = (1, 2, 4, 8, 16)


def measured(one: float, contention: float, coherency: float, *, launches: int = 6, noise: float = 0.0):
    random = np.random.default_rng(3)
    return {
        n: [law(one, contention, coherency, n) * float(np.exp(random.normal(0, noise))) for _ in range(launches)]
        for n in COUNTS
    }


@pytest.mark.parametrize(("contention", "coherency"), [(0.0, 0.0), (0.1, 0.0), (0.05, 0.002), (0.0, 0.01)])
def test_a_law_without_noise_is_found_exactly(contention: float, coherency: float) -> None:
    found = fit(measured(120.0, contention, coherency))
    assert found is not None
    assert found.one_rps.value == pytest.approx(120, rel=1e-6)
    assert found.contention.value == pytest.approx(contention, abs=1e-6)
    assert found.coherency.value == pytest.approx(coherency, abs=1e-6)
    assert found.held_out == 16
    assert found.held_out_error == pytest.approx(0, abs=1e-6)


def test_intervals_hold_the_truth_under_noise_and_are_no_narrower_than_it() -> None:
    found = fit(measured(120.0, 0.08, 0.001, launches=10, noise=0.02))
    assert found is not None
    for estimate, truth in ((found.one_rps, 120.0), (found.contention, 0.08), (found.coherency, 0.001)):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= truth <= estimate.high
        assert estimate.low < estimate.value < estimate.high


def test_the_best_number_of_replicas_is_where_the_law_turns() -> None:
    found = fit(measured(100.0, 0.1, 0.01))
    assert found is not None
    assert found.best == pytest.approx((0.9 / 0.01) ** 0.5)
    assert found.predicted_rps(found.best) >= max(found.predicted_rps(found.best * 0.9), found.predicted_rps(10.6))
    straight = fit(measured(100.0, 0.0, 0.0))
    assert straight is not None
    assert straight.best is None or straight.best > 1000


def test_few_launches_give_no_interval_and_few_numbers_of_replicas_no_law() -> None:
    found = fit(measured(100.0, 0.1, 0.0, launches=3))
    assert found is not None
    assert (found.contention.low, found.contention.high) == (None, None)
    assert fit({1: [10.0], 2: [19.0], 4: [35.0]}) is None
    assert fit({1: [10.0], 2: [19.0], 4: [35.0], 8: [0.0]}) is None


def test_the_same_records_give_the_same_intervals() -> None:
    assert fit(measured(90.0, 0.05, 0.001, noise=0.02)) == fit(measured(90.0, 0.05, 0.001, noise=0.02))
