"""Percentiles of several launches: merged, never averaged, and silent where they are not supported."""

import numpy as np
import pytest

from authbench.analysis.latency import curve, latencies, quantile_ratio, quantiles
from authbench.analysis.summary import summarise
from authbench.histogram import decode, merge
from authbench.records import Reason
from tests.unit.analysis.synthetic import TRUTHS, World, changed, histogram_of, make


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


@pytest.mark.parametrize("launches", [2, 4, 8])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_interval_of_a_quantile_holds_the_truth(launches, share):
    """Also with two launches, where a bootstrap can draw nothing beyond the two."""
    random = np.random.default_rng(5)
    truth = np.quantile(np.exp(random.normal(0, 0.05, 10**6) + random.normal(7, 0.3, 10**6)), share) / 1000
    hits = 0
    for _ in range(300):
        made = [of(*random.lognormal(7 + random.normal(0, 0.05), 0.3, 300)) for _ in range(launches)]
        found = quantiles(made)["p50" if share == 0.5 else "p90"].value
        hits += found.low <= truth <= found.high

    assert hits >= 0.9 * 300


def with_latencies(us, blocks=2, launches=3):
    """`rate` trials of one strategy with these latencies, µs, of each (launch, block)."""
    trial = next(t for t in make()[1] if t.load.model == "rate")
    return [
        changed(trial, launch=launch, block=launch * blocks + block, load__latency_hist=histogram_of(us(launch, block)))
        for launch in range(launches)
        for block in range(blocks)
    ]


def test_a_quantile_is_compared_within_blocks():
    """Drift that hits both sides alike is in neither ratio."""
    base = np.linspace(1000, 2000, 1000)
    slow = with_latencies(lambda launch, block: 1.5 * base * (1 + launch + block))
    fast = with_latencies(lambda launch, block: base * (1 + launch + block))
    found = quantile_ratio(slow, fast, 0.9)

    assert (found.through, found.compared, found.ratio.n) == ("blocks", 6, 3)
    assert found.ratio.low == pytest.approx(1.5, rel=2e-3)
    assert found.ratio.high == pytest.approx(1.5, rel=2e-3)


def test_where_a_block_holds_too_few_samples_its_launch_is_merged():
    made = with_latencies(lambda launch, block: np.linspace(1000, 2000, 300))

    assert quantile_ratio(made, made, 0.5).through == "blocks"
    assert quantile_ratio(made, made, 0.9).through == "launches"  # 30 beyond in a block, 60 in a launch
    assert quantile_ratio(made, made, 0.9).compared == 3
    assert quantile_ratio(made, made, 0.99) is None


def test_fifty_samples_are_needed_on_both_sides():
    many = with_latencies(lambda launch, block: np.linspace(1000, 2000, 500), blocks=1)
    few = with_latencies(lambda launch, block: np.linspace(1000, 2000, 499), blocks=1)

    assert quantile_ratio(many, many, 0.9).compared == 3
    assert quantile_ratio(many, few, 0.9) is None
    assert quantile_ratio(few, many, 0.9) is None


def test_only_blocks_that_both_sides_have_are_merged():
    made = with_latencies(lambda launch, block: np.linspace(1000, 2000, 300) * (9 if block else 1))
    without = [trial for trial in made if trial.block % 2 == 0]

    assert quantile_ratio(made, without, 0.5).ratio.value == pytest.approx(1.0)


SAME = World(truths=(TRUTHS[0], TRUTHS[1], TRUTHS[8]), launches=8)


def row_of(trials, strategy="jwt-hs256"):
    return summarise(make(SAME)[0], trials).comparisons[0].row(strategy)


def test_p50_has_a_verdict_of_its_own_and_others_have_none():
    (latency,) = row_of(make(SAME)[1]).latency

    assert latency.verdict.word == "better"
    assert set(latency.to_reference) == {"p50", "p90"}  # 800 requests: 8 beyond p99
    assert latency.to_reference["p50"].ratio == latency.p50_to_reference
    assert [row_of(make(SAME)[1], name).latency[0].verdict for name in ("none", "session-db")] == [None, None]


@pytest.mark.parametrize("code", ["steal", "cpu-contended", "generator-late"])
@pytest.mark.parametrize("strategy", ["jwt-hs256", "session-db"])
def test_where_the_machine_was_not_quiet_p50_has_no_verdict(code, strategy):
    """Measured again or not, on either side."""
    trials = make(SAME)[1]
    hit = next(t for t in trials if t.strategy == strategy and t.load.model == "rate")
    spoilt = changed(hit, reasons=[Reason(code=code, message="…").model_dump()])
    again = changed(hit, attempt=1, trial=len(trials))
    (latency,) = row_of([*(spoilt if t is hit else t for t in trials), again]).latency

    assert latency.verdict.word == "inconclusive"
    assert "not quiet" in latency.verdict.why
    assert code in latency.verdict.why
    assert latency.p50_to_reference.n == 8


def test_other_reasons_leave_the_verdict_and_too_many_lost_blocks_take_it():
    reason = Reason(code="unsteady", message="…").model_dump()
    mine = [t.trial for t in make(SAME)[1] if t.strategy == "jwt-hs256" and t.load.model == "rate"]

    def without(lost):
        return [changed(t, reasons=[reason]) if t.trial in mine[:lost] else t for t in make(SAME)[1]]

    assert row_of(without(2)).latency[0].verdict.word == "better"
    assert row_of(without(3)).latency[0].verdict.word == "invalid"


def test_a_ratio_that_too_few_samples_support_is_told():
    thin = World(truths=SAME.truths, launches=3, requests=80)
    cautions = summarise(make(thin)[0], make(thin)[1]).cautions
    told = next(each.message for each in cautions if each.code == "quantile-unsupported" and "jwt" in each.about)

    assert "p50, p90, p99 at rate@0.3: no ratio to the reference" in told
    (latency,) = summarise(*make(thin)[:2]).comparisons[0].row("jwt-hs256").latency
    assert latency.p50_to_reference is None
    assert "50 samples" in latency.verdict.why
