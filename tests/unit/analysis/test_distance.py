import numpy as np
import pytest

from authbench.analysis.distance import crossing, fits, mean_of, repetitions
from authbench.analysis.line import Line, fit
from tests.unit.analysis.synthetic import World, changed, make

DISTANCES = (0.0, 0.5, 1.0, 5.0)


def test_a_line_through_points_on_a_line_is_that_line() -> None:
    found = fit({distance: 1.5 + 2 * distance for distance in DISTANCES})
    assert found is not None
    assert (found.at_zero, found.slope) == pytest.approx((1.5, 2.0))
    assert found.at(3) == pytest.approx(7.5)
    assert fit({1.0: 2.0}) is None


def test_a_repetition_without_its_ends_is_left_out() -> None:
    measured = {0.0: {0: 1.0, 1: 1.0}, 1.0: {0: 3.0, 1: 3.0, 2: 3.0}, 5.0: {0: 11.0, 2: 11.0}}
    found = fits(measured)
    assert set(found) == {0}
    assert found[0].slope == pytest.approx(2.0)


def test_launches_of_a_distance_are_numbered_among_themselves() -> None:
    _, trials, _ = make(World(launches=6))
    varied = [changed(trial, cell={**trial.cell, "distance_ms": float(trial.launch % 3)}) for trial in trials]
    assert repetitions(varied) == {0: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1}


def lines(at_zero_ms: float, slope: float, n: int, seed: int, noise: float = 0.05) -> dict[int, Line]:
    random = np.random.default_rng(seed)
    return {
        each: Line(at_zero_ms + float(random.normal(0, noise)), slope + float(random.normal(0, noise / 5)))
        for each in range(n)
    }


def test_the_interval_of_a_crossing_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(400):
        found = crossing(lines(3.0, 1.0, 6, seed), lines(2.2, 2.0, 6, seed + 10_000))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.at_ms < found.high
        covered += found.low <= 0.8 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_lines_that_may_be_parallel_have_a_crossing_without_an_end() -> None:
    found = crossing(lines(3.0, 1.0, 6, 1), lines(2.2, 1.001, 6, 2))
    assert found is not None
    assert (found.low, found.high) == (None, None)


def test_one_repetition_has_no_interval_and_none_no_crossing() -> None:
    found = crossing(lines(3.0, 1.0, 1, 1), lines(2.2, 2.0, 1, 2))
    assert found is not None
    assert (found.low, found.high, found.n) == (None, None, 1)
    assert crossing(lines(3.0, 1.0, 1, 1), {}) is None
    assert crossing({0: Line(1, 2)}, {0: Line(3, 2)}) is None


def test_intervals_come_from_repetitions() -> None:
    found = mean_of({each: 2.0 + 0.01 * each for each in range(6)}, "ms/ms")
    assert found is not None
    assert (found.n, found.value) == (6, pytest.approx(2.025))
    assert mean_of({}, "ms/ms") is None
