"""From the tally to the record: exact histograms, Little's law, rates that a drain does not bend."""

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from authbench.histogram import decode
from authbench.records import Load
from loadtests.histogram import buckets, encode
from loadtests.outcome import FAILED, OK, REFUSED, UNKNOWN
from loadtests.plan import Plan
from loadtests.prepared import prepare
from loadtests.result import load_record
from loadtests.tally import KINDS_KEPT, OTHER_KINDS, Spent, Tally

MS = 1_000_000
SPENT = Spent(cpu_ns=50 * MS, bytes_in=2000, bytes_out=1000, connections_opened=3)


def plan(model: str = "rate", rate: float | None = 100.0) -> Plan:
    return Plan("http://h", "r", model, connections=8, rate_rps=rate, arrivals="constant", duration_s=1.0)


def record(tally: Tally, of: Plan | None = None) -> Load:
    return Load.model_validate(load_record(of or plan(), tally, SPENT, "timerfd"))


def steady(count: int, gap_ms: float, latency_ms: float, late_ms: float = 0.0) -> Tally:
    tally = Tally()
    for at in range(count):
        start = int((1 + at * gap_ms) * MS)
        tally.add(start, int(start + late_ms * MS), int(start + latency_ms * MS), at, OK)
    return tally


@given(st.lists(st.integers(0, 70_000_000), min_size=1, max_size=300))
def test_histograms_equal_hdrhistograms_own(micros):
    own = HdrHistogram(1, 60_000_000, 3)
    for value in micros:
        own.record_value(min(value, 60_000_000))
    ours = HdrHistogram.decode(encode(np.array(micros, dtype=np.int64) * 1000))
    assert [ours.get_count_at_index(at) for at in range(ours.counts_len)] == [
        own.get_count_at_index(at) for at in range(own.counts_len)
    ]


def test_every_bucket_boundary():
    edges = np.array([0, 1, 2047, 2048, 2049, 4095, 4096, 4099, 59_999_999, 60_000_000, 90_000_000])
    values, counts = buckets(edges * 1000)
    assert values.tolist()[:7] == [0, 1, 2047, 2048, 4094, 4096, 59_998_208 // 32768 * 32768]
    assert counts.sum() == edges.size


def test_no_answer_gives_an_empty_histogram():
    assert decode(encode(np.array([], dtype=np.int64))).total == 0


def test_a_steady_window_reads_as_planned():
    load = record(steady(100, gap_ms=10, latency_ms=40, late_ms=2))
    assert (load.sent, load.ok, load.unknown) == (100, 100, 0)
    assert load.window_s == pytest.approx(0.99 + 0.04)
    assert load.offered_rps == pytest.approx(100)
    assert load.achieved_rps == pytest.approx(100)  # the drain of 40 ms is no lost rate
    assert load.in_flight_mean == pytest.approx(4)
    assert decode(load.latency_hist).quantile_us(0.5) == pytest.approx(40_000, rel=0.001)
    assert decode(load.service_hist).quantile_us(0.5) == pytest.approx(38_000, rel=0.001)
    assert decode(load.lateness_hist).quantile_us(1.0) == pytest.approx(2000)
    assert load.half_service_us == pytest.approx((38_000, 38_000))
    assert load.generator_busy == pytest.approx(0.05 / load.window_s)


def test_falling_behind_lowers_the_achieved_rate():
    tally = Tally()
    for at in range(200):  # planned every 10 ms, answered every 12 ms
        tally.add(MS + at * 10 * MS, MS + at * 10 * MS, MS + at * 12 * MS + 5 * MS, at, OK)
    load = record(tally)
    assert load.offered_rps == pytest.approx(100)
    assert load.achieved_rps < 0.95 * load.offered_rps


def test_one_late_answer_does_not():
    tally = steady(200, gap_ms=10, latency_ms=5)
    tally.add(2001 * MS, 2001 * MS, 2600 * MS, 200, OK)
    assert record(tally).achieved_rps == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize("model", ["rate", "saturate"])
def test_littles_law(model):
    draw = np.random.default_rng(1)
    tally = Tally()
    for at, service in enumerate(draw.exponential(5 * MS, 2000).astype(int)):
        tally.add(MS + at * MS, MS + at * MS, MS + at * MS + int(service), at, OK)
    load = record(tally, plan(model))
    assert load.in_flight_mean == pytest.approx(load.achieved_rps * decode(load.latency_hist).mean_us() / 1e6, rel=0.01)


def test_only_right_answers_count_as_latency():
    tally = steady(10, gap_ms=10, latency_ms=5)
    for outcome, send in ((REFUSED, 5 * MS), (FAILED, 5 * MS), (UNKNOWN, 5 * MS), (UNKNOWN, 0)):
        tally.add(4 * MS, send, 4 * MS + 7000, 0, outcome)
    load = record(tally)
    assert (load.sent, load.ok, load.refused, load.failed, load.unknown) == (13, 10, 1, 1, 2)  # one was never sent
    assert decode(load.latency_hist).total == decode(load.service_hist).total == 10
    assert decode(load.lateness_hist).total == 13


def test_nothing_right_is_still_a_record():
    tally = Tally()
    tally.add(MS, 0, 11 * MS, 0, UNKNOWN)
    tally.add_kind(0, "connection refused")
    load = record(tally)
    assert (load.sent, load.ok, load.achieved_rps, load.half_service_us) == (0, 0, 0, (0, 0))
    assert load.failures == {"connection refused": 1}


def test_the_closed_model_has_no_plan():
    load = record(steady(100, gap_ms=10, latency_ms=10), plan("saturate"))
    assert (load.arrivals, load.target_rps) == ("closed", None)
    assert load.achieved_rps == load.offered_rps == pytest.approx(100)
    assert load.in_flight_mean == pytest.approx(1)


def test_halves_tell_drift():
    tally = Tally()
    for at in range(100):
        tally.add(MS + at * MS, MS + at * MS, MS + at * MS + (1 if at < 50 else 3) * MS, at, OK)
    assert record(tally).half_service_us == pytest.approx((1000, 3000), rel=0.05)


def test_kinds_of_failure_are_bounded():
    tally = Tally()
    for at in range(100):
        tally.add_kind(0, f"status {at}")
    assert len(tally.kinds) == KINDS_KEPT + 1
    assert tally.kinds[OTHER_KINDS] == 100 - KINDS_KEPT


def test_columns_since_and_forgetting():
    tally = steady(5, gap_ms=1, latency_ms=1)
    assert tally.columns(3).number.tolist() == [3, 4]
    tally.forget()
    assert len(tally) == 0


def test_replicas_without_a_name_are_left_out():
    tally = steady(3, gap_ms=1, latency_ms=1)
    tally.replicas.update({b"r2": 2, b"r1": 1, b"": 4})
    assert record(tally).by_replica == {"r1": 1, "r2": 2}


def test_service_time_is_told_by_replica():
    tally = steady(3, gap_ms=1, latency_ms=1)
    tally.replicas.update({b"r1": 1, b"r2": 2})
    tally.served_ns.update({b"r1": 5 * MS, b"r2": 4 * MS})
    assert record(tally).service_us_by_replica == {"r1": 5000, "r2": 2000}


def test_what_was_created_is_counted_apart_from_what_nobody_knows():
    """Of four orders one was acknowledged, one answered wrongly, one not at all, and one never sent."""
    reading, ordering = ({"method": m, "path": "/api/orders", "status": s} for m, s in (("GET", 200), ("POST", 201)))
    cycle = [prepare(number, ordering if number else reading, "h") for number in range(5)]
    tally = Tally()
    for number, outcome in enumerate((OK, OK, FAILED, UNKNOWN)):
        tally.add(MS, MS, 2 * MS, number, outcome)
    tally.add(MS, 0, 2 * MS, 4, UNKNOWN)
    load = Load.model_validate(load_record(plan(), tally, SPENT, "timerfd", cycle))
    assert (load.created, load.created_unsure) == (1, 2)
