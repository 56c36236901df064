"""What becomes of a database connection after its request, as PostgreSQL counts it, served and pooled in every way."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from apps.contract.credentials import load
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.deployable import Needs, why_not
from authbench.deployment import Deployment, Pooling, Serving
from authbench.probes.database import DatabaseProbe
from authbench.records import Database

pytestmark = [pytest.mark.slow, pytest.mark.alone]
STRATEGY = "session-db"
THREADS = 4
AT_ONCE, REQUESTS = 16, 32
PGBOUNCER = why_not(Deployment(pooling="pgbouncer"))


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    needs = Needs(pgbouncer=PGBOUNCER is None)
    with EmbeddedStack(strategies=[strategies()[STRATEGY]], replicas=1, threads=THREADS, needs=needs) as made:
        made.seed(users=60, orders=60)
        yield made


@pytest.fixture(scope="module")
def rows(stack: EmbeddedStack) -> tuple[Mapping[str, Any], ...]:
    return Minted.read(stack.mint(strategies()[STRATEGY], 50), 0).rows


@pytest.fixture
def probe(stack: EmbeddedStack) -> Iterator[DatabaseProbe]:
    made = DatabaseProbe(stack)
    yield made
    made.close()


def visit(http: httpx.Client, stack: EmbeddedStack, row: Mapping[str, Any]) -> None:
    """One request of one user, past the load balancer; the answer must name that user."""
    headers = load(strategies()[STRATEGY].carrier, row["credential"]).attach(None)
    answer = http.get(f"{stack.replica_urls(STRATEGY)[0]}/api/whoami", headers=dict(headers))
    assert (answer.status_code, answer.json()["username"]) == (200, row["username"])


def measured(
    stack: EmbeddedStack,
    rows: tuple[Mapping[str, Any], ...],
    probe: DatabaseProbe,
    serving: Serving,
    pooling: Pooling,
    at_once: int = AT_ONCE,
) -> Database:
    """Many requests on a fresh replica, with a reading after each."""
    stack.start_replicas(deployment=Deployment(replicas=1, serving=serving, pooling=pooling))
    probe.before(STRATEGY)
    sampled = []
    with httpx.Client(trust_env=False, timeout=20) as http, ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(lambda row: visit(http, stack, row), rows[:REQUESTS]):
            sampled.append(probe.connections())
    sampled.append(probe.connections())
    return probe.after(tuple(sampled))


def until(true: Callable[[], bool]) -> None:
    """Waits for what follows the answer: a server ends a request after it has sent it."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("serving", ["threads", "asgi"])
def test_without_persistence_every_request_opens_a_connection_and_leaves_none(
    stack: EmbeddedStack, rows: tuple[Mapping[str, Any], ...], probe: DatabaseProbe, serving: Serving
) -> None:
    found = measured(stack, rows, probe, serving, "new", THREADS)
    assert (found.connections_opened, found.statements) == (REQUESTS, 2 * REQUESTS)
    assert found.connections_peak <= THREADS + 1  # one that is still being closed while its successor opens
    until(lambda: not probe.connections())


@pytest.mark.parametrize("serving", ["sync", "threads"])
def test_a_persistent_connection_is_kept_by_each_thread_or_process(
    stack: EmbeddedStack, rows: tuple[Mapping[str, Any], ...], probe: DatabaseProbe, serving: Serving
) -> None:
    found = measured(stack, rows, probe, serving, "persistent")
    assert found.statements == 2 * REQUESTS
    assert found.connections_opened == found.connections_peak <= THREADS


def test_under_asgi_persistent_connections_pile_up(
    stack: EmbeddedStack, rows: tuple[Mapping[str, Any], ...], probe: DatabaseProbe
) -> None:
    found = measured(stack, rows, probe, "asgi", "persistent", at_once=4)
    assert found.connections_opened == REQUESTS  # each belongs to a thread that no later request has
    assert found.connections_peak > THREADS


@pytest.mark.parametrize("serving", ["threads", "asgi"])
def test_a_pool_holds_no_more_than_its_size_and_opens_no_more(
    stack: EmbeddedStack, rows: tuple[Mapping[str, Any], ...], probe: DatabaseProbe, serving: Serving
) -> None:
    found = measured(stack, rows, probe, serving, "pool")
    assert found.statements == 2 * REQUESTS
    assert found.connections_opened == found.connections_peak <= THREADS
    assert 1 <= sum(sum(states.values()) for states in probe.connections().values()) <= THREADS  # kept for the next


@pytest.mark.skipif(PGBOUNCER is not None, reason=str(PGBOUNCER))
@pytest.mark.parametrize("serving", ["threads", "asgi"])
def test_pgbouncer_lends_its_few_connections(
    stack: EmbeddedStack, rows: tuple[Mapping[str, Any], ...], probe: DatabaseProbe, serving: Serving
) -> None:
    found = measured(stack, rows, probe, serving, "pgbouncer")
    assert found.statements == 2 * REQUESTS
    assert 1 <= found.connections_peak <= THREADS
    assert found.connections_opened <= THREADS


def test_healthz_takes_nothing_from_a_pool(stack: EmbeddedStack) -> None:
    stack.start_replicas(deployment=Deployment(replicas=1, serving="threads", pooling="pool"))
    for _ in range(3 * THREADS):
        health = httpx.get(f"{stack.replica_urls(STRATEGY)[0]}/healthz")
        assert (health.status_code, health.json()) == (200, {"database": "ok"})
