"""Stores that grow, on real parts: exactly so many logins, what cleaning removes, what a login asks and writes."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
import redis

from apps.contract.credentials import load
from apps.contract.endpoints import ENDPOINTS
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.ground import Ground
from authbench.experiments.growth.measurement import measure
from authbench.experiments.growth.measures import STAGES
from authbench.experiments.growth.plan import GrowthPlan, StormPlan
from authbench.experiments.growth.store import Store
from authbench.generator import Generator
from authbench.observed import Observation
from authbench.probes.counts import StoreReader
from authbench.progress import Silent
from authbench.setting_up import open_sessions

NAMES = ("session-db", "session-cache", "jwt-refresh")
COOKIE = "__Host-sessionid"
LIVE, ENDED, MADE = 1_000, 9_000, 20


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    with EmbeddedStack(strategies=[strategies()[name] for name in NAMES], replicas=1) as stack:
        stack.seed(users=60, orders=10)
        stack.start_replicas()
        yield stack


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def whoami(http: httpx.Client, stack: EmbeddedStack, key: object) -> int:
    return http.get(stack.url("session-db") + "/api/whoami", headers={"Cookie": f"{COOKIE}={key}"}).status_code


def sessions(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute("SELECT count(*) FROM django_session").fetchone()
    assert row is not None
    return int(str(row[0]))


def test_cleaning_removes_exactly_what_has_ended(stack: EmbeddedStack, http: httpx.Client) -> None:
    with Store(stack, "session-db") as store, stack.postgres.connect("shop_session_db") as connection:
        made = store.grow(LIVE, ENDED, MADE)
        assert len({row["credential"]["cookies"][COOKIE] for row in made}) == MADE
        grown = store.measured()
        assert grown is not None
        assert (grown.stored, grown.dead_rows) == (LIVE + ENDED, 0)
        assert grown.total_bytes >= grown.heap_bytes + grown.index_bytes > 0
        keys = "SELECT session_key FROM django_session WHERE expire_date {} now() ORDER BY session_key LIMIT 2"
        live = [row[0] for row in connection.execute(keys.format(">"))]
        ended = [row[0] for row in connection.execute(keys.format("<"))]
        live += [row["credential"]["cookies"][COOKIE] for row in made[:2]]
        assert [whoami(http, stack, key) for key in live] == [200] * 4
        assert [whoami(http, stack, key) for key in ended] == [401] * 2
        with store.cleaning() as cleaning:
            assert sessions(connection) == LIVE + ENDED  # it waits for its moment
            cleaning.begin()
        assert (cleaning.said.removed, cleaning.said.statements) == (ENDED, 1)
        deleted = store.measured(ENDED)
        store.vacuum()
        vacuumed = store.measured()
        store.vacuum(full=True)
        rewritten = store.measured()
        assert deleted is not None
        assert vacuumed is not None
        assert rewritten is not None
        assert (deleted.stored, deleted.dead_rows, deleted.heap_bytes) == (LIVE, ENDED, grown.heap_bytes)
        assert (vacuumed.dead_rows, vacuumed.heap_bytes) == (0, grown.heap_bytes)  # live rows stand at its end
        assert rewritten.heap_bytes < grown.heap_bytes / 5
        assert [whoami(http, stack, key) for key in live] == [200] * 4


def test_a_cache_holds_the_live_ones_and_each_has_an_end(stack: EmbeddedStack) -> None:
    with Store(stack, "session-cache") as store:
        store.grow(LIVE, ENDED, MADE)
        assert store.measured() is None
        memory = store.memory()
        assert memory["keys"] == LIVE
        place = NAMES.index("session-cache")
        with redis.Redis.from_url(f"{stack.cache_url.rpartition('/')[0]}/{place}") as own:
            keys = list(own.scan_iter(count=1000))
            assert len(keys) == LIVE
            assert all(0 < own.pttl(key) <= 12 * 3600 * 1000 for key in keys)
            assert len({len(key) for key in keys}) == 1
            values = {own.get(key) for key in keys}
            sizes = {own.memory_usage(key, samples=0) for key in keys}
        assert len(values) == MADE  # the copies hold what the strategy's own code has stored
        taken = memory["memory_bytes"]
        assert taken is not None
        # Beside the entries there are their hash tables, which may still have room for those that have ended.
        assert LIVE * min(sizes) < taken < LIVE * 3 * max(sizes)


def test_a_refresh_token_is_found_among_ended_ones(stack: EmbeddedStack, http: httpx.Client) -> None:
    strategy = strategies()["jwt-refresh"]
    with Store(stack, strategy.name) as store:
        made = store.grow(100, 900, MADE)
        answers = [
            http.post(stack.url(strategy.name) + "/api/refresh", json=load("bearer", row["credential"]).renewal())
            for row in made
        ]
        assert [answer.status_code for answer in answers] == [200] * MADE
        assert [answer.json()["username"] for answer in answers] == [row["username"] for row in made]
        with store.cleaning() as cleaning:
            pass
        assert (cleaning.said.removed, cleaning.said.statements) == (900, 1)


def test_a_login_asks_what_it_declares_and_stores_one_session(stack: EmbeddedStack, http: httpx.Client) -> None:
    strategy, endpoint = strategies()["session-db"], ENDPOINTS["login"]
    body = {"username": "user00001", "password": stack.user_password}
    with StoreReader(stack) as reader, stack.postgres.connect("shop_session_db") as connection:
        assert http.post(stack.url(strategy.name) + endpoint.path, json=body).status_code == 200  # connects
        before, stored = reader.of(strategy.name)(), sessions(connection)
        # Counting sessions is a statement of the same database.
        read = reader.of(strategy.name)()
        assert read.sql - before.sql == 1
        http.cookies.clear()
        assert http.post(stack.url(strategy.name) + endpoint.path, json=body).status_code == 200
        http.cookies.clear()
        after = reader.of(strategy.name)()
        declared = strategy.operations["login"]
        assert (after.sql - read.sql, after.cache - read.cache) == (declared.sql, declared.cache)
        assert sessions(connection) == stored + 1


def test_the_experiment_observes_every_combination_once(stack: EmbeddedStack) -> None:
    contenders = (strategies()["session-db"],)
    seen: list[Observation] = []
    tables = GrowthPlan(
        kind="growth",
        rows=(1_000,),
        expired=(0.9,),
        cleaning=("none", "running"),
        sessions=50,
        closed_s=0.2,
        open_s=0.2,
        rate_rps=40,
    )
    storm = StormPlan(in_flight=(2,), logins=2, rate_rps=20, seconds=0.3)
    storms = GrowthPlan(kind="growth", closed_s=0.2, storm=storm)
    minted = open_sessions(stack, contenders, 20)
    with Generator(stack.folder / "generator.log") as generator:
        # The storm first: it asks as users who were minted just now, and a table that grows forgets them.
        for plan in (storms, tables):
            ground = Ground(
                stack=stack,
                strategies=contenders,
                minted=minted,
                generator=generator,
                launches=1,
                seed=1,
                earlier=frozenset(),
                record=seen.append,
                watcher=Silent(),
            )
            measure(ground, plan)
    assert len({each.key() for each in seen}) == len(seen)
    assert [each.levels["stage"] for each in seen if "stage" in each.levels] == list(STAGES)
    loaded = [each for each in seen if "cleaning" in each.levels]
    assert [each.levels["cleaning"] for each in loaded] == ["none", "running"]
    declared = strategies()["session-db"].operations["whoami"]
    counted = {measure: loaded[0].values[measure] for measure in ("statements", "users", "outside")}
    assert counted == {"statements": declared.sql, "users": 50, "outside": 0}
    login = next(each.values for each in seen if each.levels.get("endpoint") == "login")
    declared = strategies()["session-db"].operations["login"]
    assert (login["statements"], login["commands"]) == (declared.sql, declared.cache)
    assert login["iterations"] == 1_000_000
    stormed = [each for each in seen if "in_flight" in each.levels]
    assert [each.levels["in_flight"] for each in stormed] == [0, 2]
    assert all(each.values["answered"] == 1.0 for each in stormed)
