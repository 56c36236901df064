"""The shop as a function, on a real stack behind AWS's own runtime client: what starts, what is held, what stands."""

import os
from collections.abc import Iterator, Mapping

import pytest

from apps.contract.endpoints import REPLICA_HEADER
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.experiments.ground import Ground
from authbench.experiments.serverless import measures
from authbench.experiments.serverless.cold import server_timing
from authbench.experiments.serverless.counters import Counters
from authbench.experiments.serverless.function import Function
from authbench.experiments.serverless.gateway import whoami
from authbench.experiments.serverless.measurement import measure
from authbench.experiments.serverless.plan import ServerlessPlan
from authbench.generator import Generator
from authbench.machine import split_cores
from authbench.observed import Observation
from authbench.progress import Silent
from authbench.runner import pinned
from authbench.stack import processes
from authbench.stack.processes import tree

pytestmark = pytest.mark.slow
STRATEGIES = ("session-db", "jwt-hs256")
TOGETHER = 3
PLAN = ServerlessPlan(
    kind="serverless",
    concurrency=(1, TOGETHER),
    conn_max_age_s=(60,),
    warm_requests=3,
    attempts=1,
    idle_session_timeout_s=0.2,
)
Stack = tuple[EmbeddedStack, Mapping[str, Minted]]
Seen = Mapping[tuple[object, ...], Observation]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    chosen = [strategies()[name] for name in STRATEGIES]
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with pinned(cores), EmbeddedStack(strategies=chosen, replicas=1, cores=cores.stack) as running:
        running.seed(users=20, orders=20)
        files = running.mint_all(chosen, 12)
        yield running, {name: Minted.read(path) for name, path in files.items()}


@pytest.fixture(scope="module")
def seen(stack: Stack) -> Seen:
    """Everything observed in one launch."""
    running, minted = stack
    rows: list[Observation] = []
    with Generator(running.folder / "generator.log") as generator:
        chosen = tuple(running.strategies.values())
        ground = Ground(running, chosen, minted, generator, 1, 1, frozenset(), rows.append, Silent())
        measure(ground, PLAN)
    assert not any(name.rpartition("-f")[2].isdigit() for name in running.tiers)  # no instance is left
    return {
        (row.levels["strategy"], row.levels.get("concurrency", row.levels.get("health_checks"))): row for row in rows
    }


def test_every_combination_is_observed_and_every_answer_is_right(seen: Seen) -> None:
    assert set(seen) == {(name, c) for name in STRATEGIES for c in (1, TOGETHER)} | {
        ("session-db", checks) for checks in ("off", "on")
    }
    assert {reason.code for row in seen.values() for reason in row.reasons} <= measures.DISTURBED
    known = {each.name for each in measures.MEASURES}
    assert all(row.values.keys() <= known for row in seen.values())


@pytest.mark.parametrize("name", STRATEGIES)
def test_requests_that_arrive_together_each_get_an_instance_of_their_own(seen: Seen, name: str) -> None:
    alone, together = seen[name, 1].values, seen[name, TOGETHER].values
    assert (alone["instances"], together["instances"]) == (1, TOGETHER)
    assert alone["cold_starts"] + together["cold_starts"] == TOGETHER  # the first was there already
    assert together["most_at_once"] == 1


def test_a_frozen_instance_holds_what_its_strategy_has_asked_for(seen: Seen) -> None:
    assert seen["session-db", TOGETHER].values["held_connections"] == TOGETHER
    assert seen["jwt-hs256", TOGETHER].values["held_connections"] == 0
    assert all(seen[name, TOGETHER].values["held_cache_connections"] == 0 for name in STRATEGIES)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_request_asks_the_stores_for_what_the_strategy_declares(seen: Seen, name: str) -> None:
    declared, values = strategies()[name].operations["whoami"], seen[name, 1].values
    for moment in ("cold", "warm"):
        assert values[f"{moment}_statements"] == declared.sql
        assert values[f"{moment}_cache_commands"] == declared.cache
        assert values[f"{moment}_auth_calls"] == 0
    assert values["warm_connections_opened"] == 0


def test_a_cold_start_is_the_sum_of_its_phases_and_only_what_connects_has_a_connection(seen: Seen) -> None:
    for name in STRATEGIES:
        values = seen[name, 1].values
        phases = [values[each.name] or 0.0 for each in measures.PHASES]
        assert sum(phases) == pytest.approx(values["cold_start_ms"])
        assert all(each > 0 for each in (values["cold_interpreter_ms"], values["cold_import_ms"]))
        assert values["cold_keys_ms"] is None
    assert seen["session-db", 1].values["cold_connection_ms"]
    assert seen["jwt-hs256", 1].values["cold_connection_ms"] is None


def test_a_connection_that_the_database_has_ended_costs_a_request_unless_django_tries_it_first(seen: Seen) -> None:
    for checks, status in (("off", 503), ("on", 200)):
        values = seen["session-db", checks].values
        assert (values["held_before"], values["held_after"]) == (1, 0)
        assert (values["thawed_status"], values["next_status"]) == (status, 200)


def test_an_instance_stands_still_between_requests_and_starts_cold_once(stack: Stack) -> None:
    running, minted = stack
    rows = minted["session-db"].unverified[:2]
    questions = [whoami(strategies()["session-db"], row) for row in rows]
    told = {"AUTHBENCH_CONN_MAX_AGE": "0"}
    with Function(running, "session-db", told) as function, Counters(running) as counters:
        first, second = (function.serve([question])[0] for question in questions)
        (instance,) = function.instances
        table = processes.table()
        states = {table[pid].state for pid in tree([instance.pid], table)}
        assert states == {"T"}
        assert os.sched_getaffinity(instance.pid) == set(running.cores)  # from its first instruction
        used_ns = instance.cpu_ns()
        assert (first.cold, second.cold) == (True, False)
        assert [question.body for question in questions] == [first.answer.body, second.answer.body]
        assert first.answer.header(REPLICA_HEADER) == second.answer.header(REPLICA_HEADER) == "session-db-f1"
        assert server_timing(first.answer.header("Server-Timing"))["import"] > 0
        assert second.answer.header("Server-Timing") == ""
        assert counters.held("session-db") == (0, 0)  # closed after each request
        assert instance.cpu_ns() == used_ns
