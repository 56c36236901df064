"""Through the relay everything is as it is without it, but later: bytes, order, ends, and counts."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import httpx
import psycopg
import pytest
import redis

from apps.contract.credentials import load
from apps.contract.endpoints import whoami_body
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import caller_of
from authbench.conformance.verification import Minted
from authbench.deployable import needs_of
from authbench.deployment import Deployment
from authbench.experiments.ground import Ground
from authbench.experiments.relay.measurement import measure
from authbench.experiments.relay.plan import Pressure, RelayPlan
from authbench.generator import Generator
from authbench.observed import Observation
from authbench.probes.counts import StoreReader
from authbench.progress import Silent
from authbench.stack.databases import database_of
from authbench.stack.relay import NAME, POSTGRES, VALKEY, Relay
from tests.integration.measured_stack import wait_until

pytestmark = pytest.mark.slow
DISTANCE_MS = 5.0
FAR = Deployment(replicas=1, distance_ms=DISTANCE_MS)
EXCHANGES = {"none": (0, 0), "session-db": (2, 0), "session-cache": (1, 1)}  # SQL and cache commands a `whoami`
USERS = 20
MEGABYTE = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    chosen = [strategies()[name] for name in EXCHANGES]
    # One thread, so one connection a store: what follows the first request opens none.
    with EmbeddedStack(strategies=chosen, replicas=1, threads=1, needs=needs_of([FAR])) as made:
        made.seed(users=USERS + 1, orders=40)
        yield made


@pytest.fixture(scope="module")
def minted(stack: EmbeddedStack) -> dict[str, Minted]:
    files = stack.mint_all(list(stack.strategies.values()), USERS + 1)
    return {name: Minted.read(path) for name, path in files.items()}


@pytest.fixture
def relay(stack: EmbeddedStack) -> Iterator[Relay]:
    yield stack.start_relay(DISTANCE_MS)
    stack.stop_relay()


def through_postgres(stack: EmbeddedStack, relay: Relay) -> psycopg.Connection[tuple[object, ...]]:
    return stack.postgres.at(relay.postgres_port).connect(database_of("session-db"))


def through_valkey(stack: EmbeddedStack, relay: Relay) -> "redis.Redis":
    return replace(stack.valkey, port=relay.valkey_port).connect()


def no_sooner_than_set(exchange: Callable[[], object]) -> bool:
    begun = time.monotonic()
    exchange()
    return time.monotonic() - begun >= DISTANCE_MS / 1000


def test_replicas_reach_the_stores_through_it_and_nothing_else_changes(
    stack: EmbeddedStack, minted: dict[str, Minted], relay: Relay
) -> None:
    stack.start_replicas(deployment=FAR)  # with a fresh relay in place of this one, on the same ports
    try:
        with httpx.Client(trust_env=False) as http, StoreReader(stack) as reader:
            for name, (sql, cache) in EXCHANGES.items():
                rows, carrier = minted[name].rows, stack.strategies[name].carrier
                totals = reader.of(name)

                def ask(row: dict[str, object], url: str = stack.url(name), carrier: str = carrier) -> bytes:
                    headers = load(carrier, row["credential"]).attach()
                    answer = http.get(f"{url}/api/whoami", headers=dict(headers))
                    assert answer.status_code == 200
                    return answer.content

                ask(dict(rows[0]))
                before, passed = totals(), relay.status().routes
                bodies = [ask(dict(row)) for row in rows[:10]]
                after, now = totals(), relay.status().routes
                assert bodies == [whoami_body(caller_of(dict(row))) for row in rows[:10]]
                assert (after.sql - before.sql, after.cache - before.cache) == (10 * sql, 10 * cache)
                assert now[POSTGRES].exchanges - passed[POSTGRES].exchanges == 10 * sql
                assert now[VALKEY].exchanges - passed[VALKEY].exchanges == 10 * cache
                assert now[POSTGRES].accepted == passed[POSTGRES].accepted
    finally:
        stack.stop_replicas()


def test_its_cost_is_charged_to_no_tier_of_the_stack(stack: EmbeddedStack, relay: Relay) -> None:
    assert stack.tiers[NAME] == "generator"


def test_no_exchange_is_early(stack: EmbeddedStack, relay: Relay) -> None:
    with through_postgres(stack, relay) as connection:
        assert all(no_sooner_than_set(lambda: connection.execute("SELECT 1")) for _ in range(10))
    client = through_valkey(stack, relay)
    assert all(no_sooner_than_set(client.ping) for _ in range(10))
    client.close()


def test_a_megabyte_passes_unchanged_both_ways(stack: EmbeddedStack, relay: Relay) -> None:
    with through_postgres(stack, relay) as connection:
        row = connection.execute("SELECT %b::bytea", (MEGABYTE,)).fetchone()
    assert row == (MEGABYTE,)
    client = redis.Redis(port=relay.valkey_port, password=stack.valkey.password, single_connection_client=True)
    client.set("megabyte", MEGABYTE)
    assert client.getdel("megabyte") == MEGABYTE
    client.close()
    assert relay.status().routes[POSTGRES].bytes_up >= len(MEGABYTE)
    assert relay.status().routes[VALKEY].bytes_down >= len(MEGABYTE)


def test_the_order_is_kept(stack: EmbeddedStack, relay: Relay) -> None:
    client = through_valkey(stack, relay)
    pipeline = client.pipeline(transaction=False)
    for number in range(1000):
        pipeline.echo(str(number))
    assert pipeline.execute() == [str(number) for number in range(1000)]
    client.close()


def test_an_end_that_closes_closes_the_other(stack: EmbeddedStack, relay: Relay) -> None:
    def backends() -> set[int]:
        with stack.postgres.connect() as direct:
            rows = direct.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
        return {cast(int, pid) for (pid,) in rows}

    client = through_postgres(stack, relay)
    pid = client.info.backend_pid
    client.close()
    wait_until(lambda: pid not in backends() and relay.status().routes[POSTGRES].open == 0)

    with through_postgres(stack, relay) as ended, stack.postgres.connect() as direct:
        direct.execute("SELECT pg_terminate_backend(%s)", (ended.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            ended.execute("SELECT 1")
    wait_until(lambda: relay.status().routes[POSTGRES].open == 0)


def test_its_error_is_observed_at_every_distance(stack: EmbeddedStack) -> None:
    seen: list[Observation] = []
    ground = Ground(
        stack=stack,
        strategies=(),
        minted={},
        generator=cast(Generator, None),  # nothing is fired
        launches=1,
        seed=1,
        earlier=frozenset(),
        record=seen.append,
        watcher=Silent(),
    )
    pressure = Pressure(connections=16, rate_rps=200)
    measure(ground, RelayPlan(kind="relay", distances_ms=(0.0, 1.0), exchanges=20, pressure=(pressure,)))
    assert {(row.levels["distance_ms"], row.levels["store"], row.levels["pressure"]) for row in seen} == {
        (distance, store, pressure)
        for distance in (0.0, 1.0)
        for store, pressure in ((POSTGRES, "none"), (VALKEY, "none"), (VALKEY, "200/s on 16"))
    }
    assert all(row.values["early"] == 0 for row in seen)
    assert all(row.values["exchanges"] == 20 for row in seen if row.levels["pressure"] == "none")
    assert all((row.values["pressed_rps"] or 0) > 0 for row in seen if row.levels["pressure"] != "none")
    assert NAME not in stack.tiers
    done = frozenset(row.key() for row in seen)
    measure(replace(ground, earlier=done), RelayPlan(kind="relay", distances_ms=(0.0,), exchanges=20))
    assert len(seen) == len(done)  # an interrupted run goes on where it was
