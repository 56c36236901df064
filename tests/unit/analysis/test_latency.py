"""Percentiles of several launches: merged, never averaged, and silent where they are not supported."""

import numpy as np
import pytest

from authbench.analysis.latency import curve, latencies, quantiles
from authbench.histogram import decode, merge
from tests.unit.analysis.synthetic import World, changed, histogram_of, make


def of(*values):
    return decode(histogram_of(np.array(values, dtype=float)))


def test_the_quantile_is_that_of_all_samples_together():
    launches = [of(*[1000] * 900), of(*[9000] * 100)]

    assert quantiles(launches)["p90"].value.value == pytest.approx(1.0, rel=1e-3)
    assert quantiles(launches)["p99"].value.value == pytest.approx(9.0, rel=1e-3)


def test_the_interval_holds_the_value_and_comes_from_launches():
    random = np.random.default_rng(1)
    found = quantiles([of(*random.lognormal(7, 0.3, 400)) for _ in range(6)])["p50"].value

    assert found.n == 6
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def test_one_launch_has_no_interval_and_none_has_no_quantile():
    assert quantiles([of(1, 2, 3)])["p50"].value.low is None
    assert quantiles([of()]) == {}


def test_few_samples_do_not_support_a_quantile():
    found = quantiles([of(*range(1, 1001)), of(*range(1, 1001))])

    assert {name: quantile.supported for name, quantile in found.items()} == {
        "p50": True,
        "p90": True,
        "p99": False,
        "p999": False,
    }


def test_a_curve_ends_where_fifty_samples_lie_beyond():
    trials = [t for t in make()[1] if t.strategy == "none"]
    points = curve(trials, "rate@0.3")
    total = merge(decode(t.load.latency_hist) for t in trials if t.load.model == "rate").total

    assert total * 10 ** -points[-1][0] == pytest.approx(50)
    assert [ms for _, ms in points] == sorted(ms for _, ms in points)
    assert curve(trials, "rate@0.9") == ()


def test_loads_are_kept_apart_and_saturation_left_out():
    trials = [t for t in make(World(loads=("saturate", "rate@0.3")))[1] if t.strategy == "jwt-row"]
    faster = [changed(t, cell={**t.cell, "load": "rate@0.6"}, load__target_rps=360.0) for t in trials]
    found = latencies([*trials, *faster], trials)

    assert [(latency.load, latency.rate_rps) for latency in found] == [("rate@0.3", 180.0), ("rate@0.6", 360.0)]
    assert found[0].p50_to_reference.value == pytest.approx(1.0)
