"""What the probes count agrees with what was sent, to the last one."""

import os
import signal
import time
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest
import redis

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.probes.balancer import BalancerProbe
from authbench.probes.bundle import Probes
from authbench.probes.cache import CacheProbe
from authbench.probes.counts import StoreReader
from authbench.probes.database import DatabaseProbe
from authbench.probes.process import ProcessProbe

pytestmark = pytest.mark.slow
STRATEGY = "session-cache"


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    chosen = [strategies()[STRATEGY], strategies()["none"]]
    with EmbeddedStack(strategies=chosen, replicas=2, cores=()) as made:
        made.seed(users=20, orders=40)
        made.start_replicas()
        yield made


@pytest.fixture
def database(stack: EmbeddedStack) -> Iterator[DatabaseProbe]:
    probe = DatabaseProbe(stack)
    yield probe
    probe.close()


@pytest.fixture
def cache(stack: EmbeddedStack) -> Iterator[CacheProbe]:
    probe = CacheProbe(stack)
    yield probe
    probe.close()


def connect(stack: EmbeddedStack, strategy: str = STRATEGY) -> psycopg.Connection[tuple[object, ...]]:
    """As a replica's thread would."""
    return psycopg.connect(stack.dsn(strategy), application_name=f"authbench:{strategy}:{strategy}-1", autocommit=True)


def get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        answer.read()
        return str(answer.headers["X-Replica"])


def test_statements_are_counted_exactly_and_at_once(stack: EmbeddedStack, database: DatabaseProbe) -> None:
    with connect(stack) as connection, connect(stack, "none") as other:
        database.before(STRATEGY)
        for number in range(7):
            connection.execute("SELECT username FROM shop_user WHERE id = %s", (number,))
            other.execute("SELECT 1")
        with connection.transaction():  # BEGIN and COMMIT are not statements
            connection.execute("UPDATE shop_user SET last_name = 'x' WHERE id = 1")
            connection.execute("SELECT 1")
        found = database.after((database.connections(),))
    assert found.statements == 9


def test_connections_opened_agree_with_postgresql(stack: EmbeddedStack, database: DatabaseProbe) -> None:
    database.before(STRATEGY)
    opened = [connect(stack) for _ in range(3)]
    for connection in opened:
        connection.execute("SELECT 1")
    connections = database.connections()
    found = database.after((connections,))
    for connection in opened:
        connection.close()
    assert found.connections_opened == 3
    assert connections[f"{STRATEGY}-1"]["idle"] >= 3


def test_the_probe_counts_neither_its_statements_nor_itself(stack: EmbeddedStack, database: DatabaseProbe) -> None:
    database.before(STRATEGY)
    samples = tuple(database.connections() for _ in range(5))
    found = database.after(samples)
    assert (found.statements, found.connections_opened) == (0, 0)
    assert not any("probe" in replica for sample in samples for replica in sample)


def test_cache_commands_are_exact(stack: EmbeddedStack, cache: CacheProbe) -> None:
    cache.before(STRATEGY)
    client = redis.Redis.from_url(
        stack.cache_url, client_name=f"authbench:{STRATEGY}:{STRATEGY}-2", single_connection_client=True
    )
    for number in range(6):
        client.set(f"k{number}", "v")
        client.get(f"k{number}")
    client.delete("k1")
    by_replica = cache.connections_by_replica()
    found = cache.after(sum(by_replica.values()))
    client.close()
    assert found.by_command == {"del": 1, "get": 6, "set": 6}
    assert found.commands == 13
    assert by_replica[f"{STRATEGY}-2"] >= 1


def test_the_balancers_count_is_exact(stack: EmbeddedStack) -> None:
    probe = BalancerProbe(stack)
    for requests in (0, 37, 1):
        probe.before()
        replicas = [get(stack.url(STRATEGY) + "/api/public") for _ in range(requests)]
        assert probe.after() == requests
        if requests > 2:
            assert set(replicas) == {f"{STRATEGY}-1", f"{STRATEGY}-2"}
            assert abs(replicas.count(f"{STRATEGY}-1") - requests / 2) <= 1


def test_the_bundle_reads_every_tier(stack: EmbeddedStack) -> None:
    probes = Probes(stack, interval_s=0.02)
    probes.before(STRATEGY)
    for _ in range(20):
        get(stack.url(STRATEGY) + "/api/public")
    readings = probes.after()
    assert set(readings.cpu_s) == {"lb", "app", "db", "cache"}
    assert all(seconds >= 0 for seconds in readings.cpu_s.values())
    assert readings.cpu_s["app"] == pytest.approx(sum(readings.replica_cpu_s.values()))
    assert all(seconds > 0 for seconds in readings.replica_cpu_s.values())
    assert readings.database.statements == 0
    assert readings.cache.commands == 0
    assert all(size > 5_000_000 for size in readings.resident_bytes.values())
    assert len(readings.samples) >= 2
    assert readings.probe_cpu_s > 0
    assert readings.replicas_restarted == 0


def test_the_reader_for_verification(stack: EmbeddedStack) -> None:
    with StoreReader(stack) as reader, connect(stack) as connection:
        read = reader.of(STRATEGY)
        before = read()
        connection.execute("SELECT 1")
        after = read()
    assert (after.sql - before.sql, after.cache - before.cache) == (1, 0)


def test_a_worker_that_is_replaced_shows(stack: EmbeddedStack) -> None:
    probe = ProcessProbe(stack)
    probe.before(STRATEGY)
    assert probe.after() == 0
    name = f"{STRATEGY}-1"
    master = stack.running(name).pid
    (worker,) = stack.pids(name) - {master}
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while worker in stack.pids(name) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert probe.after() == 1


def test_after_a_new_launch_no_request_meets_an_old_connection(stack: EmbeddedStack) -> None:
    pids = {name: stack.pids(name) for name in stack.replica_names(STRATEGY)}
    for replicas in (1, 2, 2):
        for _ in range(8):
            get(stack.url(STRATEGY) + "/api/public")
        stack.start_replicas(replicas)
        assert {get(stack.url(STRATEGY) + "/api/public") for _ in range(8)} == set(stack.replica_names(STRATEGY))
    assert all(not stack.pids(name) & pids[name] for name in pids)
    stack.check()
