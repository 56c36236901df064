"""The session table on a server of its own: connections and statements at each server, to the last one."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from apps.contract.credentials import load
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.deployable import Needs
from authbench.deployment import Deployment, SessionStore
from authbench.probes.database import DatabaseProbe, session_probe
from authbench.records import Database

pytestmark = [pytest.mark.slow, pytest.mark.alone]
NAMES = ("session-db", "session-db-claims", "jwt-hs256")
REQUESTS = 7
Rows = Mapping[str, tuple[Mapping[str, Any], ...]]


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    chosen = [strategies()[name] for name in NAMES]
    with EmbeddedStack(strategies=chosen, replicas=1, threads=1, needs=Needs(session_server=True)) as made:
        made.seed(users=30, orders=30)
        yield made


@pytest.fixture(scope="module")
def rows(stack: EmbeddedStack) -> Rows:
    minted = stack.mint_all([strategies()[name] for name in NAMES], 20)
    return {name: Minted.read(path, 0).rows for name, path in minted.items()}


@pytest.fixture(scope="module", params=["shared", "separate"])
def level(request: pytest.FixtureRequest, stack: EmbeddedStack, rows: Rows) -> SessionStore:
    """Fresh replicas of every strategy, deployed so."""
    chosen: SessionStore = request.param
    stack.start_replicas(deployment=Deployment(replicas=1, session_store=chosen))
    return chosen


def ask(
    stack: EmbeddedStack, strategy: str, method: str, path: str, row: Mapping[str, Any], **more: Any
) -> httpx.Response:
    headers = load(strategies()[strategy].carrier, row["credential"]).attach(None)
    return httpx.request(method, stack.replica_urls(strategy)[0] + path, headers=dict(headers), timeout=20, **more)


def at_both(stack: EmbeddedStack, strategy: str, rows: tuple[Mapping[str, Any], ...]) -> tuple[Database, Database]:
    """What the two servers have counted while some users asked who they are, one after the other."""
    first, second = DatabaseProbe(stack), session_probe(stack)
    assert second is not None
    try:
        for probe in (first, second):
            probe.before(strategy)
        for row in rows[:REQUESTS]:
            assert ask(stack, strategy, "GET", "/api/whoami", row).json()["username"] == row["username"]
        return first.after((first.connections(),)), second.after((second.connections(),))
    finally:
        first.close()
        second.close()


EXPECTED = {  # connections and statements a request, at the users' server and at the sessions'
    ("session-db", "shared"): ((1, 2), (0, 0)),
    ("session-db", "separate"): ((1, 1), (1, 1)),
    ("session-db-claims", "shared"): ((1, 1), (0, 0)),
    ("session-db-claims", "separate"): ((0, 0), (1, 1)),
    ("jwt-hs256", "shared"): ((0, 0), (0, 0)),
    ("jwt-hs256", "separate"): ((0, 0), (0, 0)),
}


@pytest.mark.parametrize("strategy", NAMES)
def test_each_server_holds_a_connection_only_where_requests_ask_it(
    stack: EmbeddedStack, rows: Rows, level: SessionStore, strategy: str
) -> None:
    found = at_both(stack, strategy, rows[strategy])
    expected = EXPECTED[strategy, level]
    assert tuple((each.connections_peak, each.statements / REQUESTS) for each in found) == expected


def test_a_logout_ends_the_session_where_it_is_kept(stack: EmbeddedStack, rows: Rows, level: SessionStore) -> None:
    row = rows["session-db"][-1 if level == "shared" else -2]
    assert ask(stack, "session-db", "POST", "/api/logout", row).status_code == 200
    assert ask(stack, "session-db", "GET", "/api/whoami", row).status_code == 401


def test_healthz_names_both_servers(stack: EmbeddedStack, level: SessionStore) -> None:
    health = httpx.get(f"{stack.replica_urls('session-db')[0]}/healthz").json()
    assert health == ({"database": "ok"} if level == "shared" else {"database": "ok", "sessions": "ok"})


def test_sessions_are_copied_whole_and_may_be_copied_again(stack: EmbeddedStack, rows: Rows) -> None:
    store = stack.parts.sessions
    assert store is not None
    with stack.postgres.connect("shop_session_db_claims") as shared:
        count = shared.execute("SELECT count(*) FROM django_session").fetchone()
    assert count == (store.copy("session-db-claims"),) == (len(rows["session-db-claims"]) + 1,)  # and the spare one
