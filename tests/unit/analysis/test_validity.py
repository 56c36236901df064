"""Every rule at both sides of its bound."""

import numpy as np
import pytest

from authbench.analysis.fidelity import FEWEST_ANSWERS, WRONG_USER
from authbench.analysis.validity import (
    CODES,
    HALVES_NOISE_LONG,
    HALVES_NOISE_SHORT,
    Limits,
    load_reasons,
    reasons_against,
)
from tests.unit.analysis.synthetic import World, a_trial, histogram_of, make


def codes(trial, limits=None, **more):
    return [reason.code for reason in reasons_against(trial, limits, **more)]


def late(p99_us, latency_us, on_time=0):
    """All requests this late, but for `on_time` of 1,000."""
    lateness = np.concatenate([np.full(on_time, 1.0), np.full(1000 - on_time, float(p99_us))])
    latency = np.full(1000, float(latency_us))
    return {
        "load__lateness_hist": histogram_of(lateness),
        "load__latency_hist": histogram_of(latency),
        "load__service_hist": histogram_of(latency),
        "load__sent": 1000,
        "load__ok": 1000,
        "load__half_service_us": (latency_us, latency_us),
        "load__in_flight_mean": 180.0 * latency_us / 1e6,
        "load__achieved_rps": 180.0,
        "load__offered_rps": 180.0,
    }


def served(slow_us, answers):
    """Two replicas, one of which takes 1 ms for an answer."""
    return {
        "load__by_replica": {"r1": answers, "r2": answers},
        "load__service_us_by_replica": {"r1": 1000.0, "r2": float(slow_us)},
    }


def ordered(kept, unsure=0):
    """A window in which 100 orders were acknowledged."""
    return {"orders_kept": kept, "load__created": 100, "load__created_unsure": unsure}


AT_AND_BEYOND = [
    ("generator-late", late(999, 100_000), late(1002, 100_000)),
    ("generator-late", late(50, 1000), late(51, 1000)),
    ("generator-late", late(100, 1000, on_time=900), late(101, 1000, on_time=900)),
    ("generator-busy", {"load__generator_busy": 0.85}, {"load__generator_busy": 0.851}),
    ("errors", {"load__failed": 1, "load__sent": 1000}, {"load__failed": 2, "load__sent": 1000}),
    ("errors", {"load__refused": 1, "load__sent": 1000}, {"load__refused": 1, "load__unknown": 1, "load__sent": 1000}),
    ("wrong-user", {"load__failures": {"reset": 1}}, {"load__failures": {WRONG_USER: 1}}),
    ("steal", {"steal_share": 0.02}, {"steal_share": 0.0201}),
    ("cpu-contended", {"others_cpu_share": 0.05}, {"others_cpu_share": 0.0501}),
    ("cpu-contended", {"others_cpu_share": None}, {"others_cpu_share": 1.0}),
    ("replica-restarted", {"replicas_restarted": 0}, {"replicas_restarted": 1}),
    ("uneven-replicas", served(2000, FEWEST_ANSWERS), served(2001, FEWEST_ANSWERS)),
    ("uneven-replicas", served(9000, FEWEST_ANSWERS - 1), served(9000, FEWEST_ANSWERS)),
    ("orders-differ", ordered(kept=100), ordered(kept=99)),
    ("orders-differ", ordered(kept=103, unsure=3), ordered(kept=104, unsure=3)),
    ("orders-differ", ordered(kept=None), ordered(kept=0)),
    ("unfair-share", {"load__by_replica": {"r1": 70, "r2": 130}}, {"load__by_replica": {"r1": 69, "r2": 131}}),
    ("unfair-share", {"load__by_replica": {"r1": 100, "r2": 100}}, {"load__by_replica": {"r1": 200}}),
    ("counts-differ", {"lb_requests": 7, "lb_expected": 7}, {"lb_requests": 8, "lb_expected": 7}),
    ("counts-differ", {"lb_requests": None, "lb_expected": 7}, {"lb_requests": 6, "lb_expected": 7}),
]


@pytest.mark.parametrize(("code", "at", "beyond"), AT_AND_BEYOND)
def test_a_rule_passes_at_its_bound_and_fails_beyond(code, at, beyond):
    assert code not in codes(a_trial(**at))
    assert code in codes(a_trial(**beyond))


def test_achieved_over_offered():
    trial = a_trial()
    offered = trial.load.achieved_rps / 0.99

    assert "rate-not-reached" not in codes(a_trial(load__offered_rps=offered - 1e-9))
    assert "rate-not-reached" in codes(a_trial(load__offered_rps=offered * 1.001))


@pytest.mark.parametrize(("factor", "broken"), [(1.049, False), (1.051, True), (0.951, False), (0.949, True)])
def test_littles_law_in_the_open_model_uses_latency(factor, broken):
    trial = a_trial()

    assert ("littles-law" in codes(a_trial(load__in_flight_mean=trial.load.in_flight_mean * factor))) is broken


@pytest.mark.parametrize(("in_flight", "broken"), [(16.0, False), (15.0, True), (20.0, True)])
def test_littles_law_in_the_closed_model_uses_service_time(in_flight, broken):
    service = histogram_of(np.full(1000, 16_000.0))
    trial = a_trial(
        load__model="saturate",
        load__service_hist=service,
        load__latency_hist=histogram_of(np.full(1000, 99_000.0)),
        load__achieved_rps=1000.0,
        load__in_flight_mean=in_flight,
    )

    assert ("littles-law" in codes(trial)) is broken


@pytest.mark.parametrize(
    ("requests", "noise"), [(499, HALVES_NOISE_SHORT), (500, HALVES_NOISE_LONG), (5000, HALVES_NOISE_LONG)]
)
def test_halves_may_differ_by_the_noise_of_a_window_of_that_size(requests, noise):
    steady = histogram_of(np.full(requests, 1000.0))

    def halves(difference):
        return a_trial(
            load__ok=requests,
            load__service_hist=steady,
            load__half_service_us=(1000 * (1 - difference / 2), 1000 * (1 + difference / 2)),
        )

    assert "unsteady" not in codes(halves(noise))
    assert "unsteady" in codes(halves(noise + 0.01))


def test_a_window_of_wide_service_times_may_differ_by_what_sampling_does():
    wide = histogram_of(np.concatenate([np.full(500, 100.0), np.full(100, 9500.0)]))

    assert "unsteady" not in codes(a_trial(load__ok=600, load__service_hist=wide, load__half_service_us=(1400, 1950)))


def test_a_calibrated_noise_replaces_the_default():
    trial = a_trial(load__half_service_us=(1000.0, 1050.0))

    assert "unsteady" not in codes(trial)
    assert "unsteady" in codes(trial, Limits(halves_noise=0.02))


def test_lateness_busy_generator_and_rate_do_not_apply_when_saturated():
    trial = a_trial(
        **{**late(9000, 10_000), "load__model": "saturate", "load__generator_busy": 1.0, "load__offered_rps": 9e9}
    )

    assert codes(trial) == []


def test_replicas_are_compared_in_the_open_model_only_and_not_under_sticky_routing():
    uneven = served(9000, FEWEST_ANSWERS)

    assert "uneven-replicas" in codes(a_trial(**uneven))
    assert "uneven-replicas" not in codes(a_trial(**uneven, load__model="saturate"))
    assert "uneven-replicas" not in codes(a_trial(**uneven), Limits(round_robin=False))


def test_under_sticky_routing_shares_are_nobodys_promise():
    assert codes(a_trial(load__by_replica={"r1": 200}), Limits(round_robin=False)) == []


@pytest.mark.parametrize(("after", "expires"), [(1.001, False), (1.0, True), (0.5, True)])
def test_a_credential_must_outlive_the_window(after, expires):
    trial = a_trial()
    expiring = codes(trial, expires_in_s=after * trial.load.window_s)

    assert ("credential-expires" in expiring) is expires


def test_without_conformance_nothing_counts():
    assert codes(a_trial(), verified=False) == ["not-verified"]


def test_a_generator_that_died_is_the_only_reason():
    trial = a_trial(load__sent=0, steal_share=0.9)

    (reason,) = reasons_against(trial, verified=False, expires_in_s=0, generator_died="ended with exit code -9")
    assert reason.code == "generator-died"
    assert "-9" in reason.message


def test_without_requests_there_is_one_reason():
    assert codes(a_trial(load__sent=0)) == ["no-requests"]


def test_a_clean_run_has_no_reasons():
    assert [reason for trial in make()[1] for reason in reasons_against(trial)] == []


def test_the_load_alone_gives_the_loads_reasons():
    trial = a_trial(load__generator_busy=0.9, steal_share=0.5)

    assert [reason.code for reason in load_reasons(trial.load)] == ["generator-busy"]


def test_codes_are_stable_and_complete():
    seen = {code for code, _, _ in AT_AND_BEYOND}

    assert seen <= set(CODES)
    assert len(set(CODES)) == len(CODES)


def test_reasons_are_those_of_the_present_not_of_the_record():
    broken = make(World(broken=frozenset({0})))[1][0]

    assert broken.reasons
    assert reasons_against(broken) == ()
