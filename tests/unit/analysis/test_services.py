"""Exact counts stay exact, a line is a line, and what a service adds comes from launches."""

import pytest

from authbench.analysis.services import courses, slope
from authbench.histogram import new_histogram
from authbench.observed import Observation
from authbench.records import Reason

CALLS = {"session": (2, 0), "exchanged-jwt": (0, 1), "edge-header": (0, 0)}
DISTURBED = Reason(code="cpu-contended", message="closed model: others")


def observed(checking: str, topology: str, services: int, launch: int, **changes: float | None) -> Observation:
    a_service, a_request = CALLS[checking]
    histogram = new_histogram()
    for _ in range(50):
        histogram.record_value((1 + 2 * services) * 1000 + 10 * launch)
    values: dict[str, float | None] = {
        "auth_calls": a_service * services + a_request,
        "statements": a_service * services,
        "checks": services,
        "header_bytes": 109,
        "edge_bytes": 82,
        "opened": 0,
        "db_connections": 4 * services,
        "kept": 4,
        "p50_ms": 1 + 2 * services + 0.01 * launch,
        "cpu_ms": 0.5 + 1.5 * services,
        "gateway_cpu_ms": 0.5,
        "services_cpu_ms": 1.5 * services,
    }
    return Observation(
        kind="services",
        launch=launch,
        levels={"checking": checking, "topology": topology, "strategy": "session-db"},
        values=values | changes,
        histograms={"latency": histogram.encode().decode()},
    )


def world(launches: int = 6) -> list[Observation]:
    shapes = (("fan-out-4", 5), ("chain-8", 8), ("chain-1", 1), ("chain-2", 2))
    return [observed(way, name, n, launch) for launch in range(launches) for way in CALLS for name, n in shapes]


def test_calls_are_so_many_a_service_and_so_many_a_request() -> None:
    found = {each.checking: each.calls for each in courses(world())}
    assert found == {"session": (2.0, 0.0), "exchanged-jwt": (0.0, 1.0), "edge-header": (0.0, 0.0)}


def test_calls_that_lie_on_no_line_have_no_law() -> None:
    rows = [*world(), observed("session", "chain-4", 4, 0, auth_calls=9)]
    assert courses(rows)[0].calls is None


def test_topologies_stand_in_order_and_the_longest_chain_is_known() -> None:
    course = courses(world())[0]
    assert [each.topology for each in course.seen] == ["chain-1", "chain-2", "chain-8", "fan-out-4"]
    assert course.longest.topology == "chain-8"
    assert course.longest.most == {"db_connections": 32, "kept": 4, "opened": 0}
    assert course.longest.parts == {"gateway_cpu_ms": 0.5, "services_cpu_ms": 12.0}


def test_what_a_service_adds_comes_from_chains_alone() -> None:
    rows = [*world(), observed("session", "fan-out-2", 3, 0, p50_ms=1000, cpu_ms=1000)]
    course = courses(rows)[0]
    assert course.added_ms is not None
    assert course.added_ms.value == pytest.approx(2.0)
    assert course.added_ms.n == 6
    assert course.added_cpu_ms is not None
    assert course.added_cpu_ms.value == pytest.approx(1.5)


def test_a_disturbed_launch_keeps_its_counts_and_loses_its_times() -> None:
    rows = [row.model_copy(update={"reasons": (DISTURBED,)}) if row.launch else row for row in world(2)]
    course = courses(rows)[0]
    assert {each.launches for each in course.seen} == {2}
    assert course.added_ms is not None
    assert course.added_ms.n == 1
    nothing = courses([row.model_copy(update={"reasons": (DISTURBED,)}) for row in world(2)])[0]
    assert nothing.added_ms is None
    assert nothing.longest.p50 is None
    assert nothing.calls == (2.0, 0.0)


def test_wrong_answers_make_counts_worthless_too() -> None:
    errors = Reason(code="errors", message="closed model: 3 of 40")
    assert courses([row.model_copy(update={"reasons": (errors,)}) for row in world()]) == ()


def test_counts_that_launches_do_not_agree_on_are_named() -> None:
    rows = [*world(2), observed("session", "chain-8", 8, 7, auth_calls=17)]
    longest = courses(rows)[0].longest
    assert longest.differing == ("auth_calls",)
    assert longest.counts["auth_calls"] == (16, 17)


def test_a_launch_without_all_lengths_has_another_line() -> None:
    estimate = slope({0: {1: 1.0, 2: 2.0, 4: 4.0}, 1: {1: 1.0, 2: 9.0}}, "ms")
    assert estimate is not None
    assert (estimate.value, estimate.n, estimate.low) == (pytest.approx(1.0), 1, None)
    assert slope({0: {1: 1.0}}, "ms") is None
