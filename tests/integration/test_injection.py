"""Every fault on real parts: its effect is seen at the replicas, and nothing of it is left afterwards."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis

from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import ORDER, caller_of
from authbench.conformance.verification import Minted
from authbench.conformance.visitor import User, Visitor
from authbench.deployment import Deployment
from authbench.faults.fault import Fault
from authbench.faults.injector import Injector
from authbench.stack.databases import database_of
from authbench.stack.processes import read
from authbench.stack.relay import POSTGRES, VALKEY, Relay

pytestmark = pytest.mark.slow
BOTH, FILE, CENTRAL = "session-cached-db", "session-file", "opaque-introspection"
USERS = 12
ANSWERS_WITHIN_S, SILENT_FOR_S = 10.0, 0.4  # where an answer is expected, and where none is


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    chosen = [strategies()[name] for name in (BOTH, FILE, CENTRAL)]
    with EmbeddedStack(strategies=chosen, replicas=2, threads=2, max_connections=60) as running:
        running.seed(users=USERS, orders=0)
        running.keep_commits(BOTH)
        running.start_replicas(deployment=Deployment(replicas=2, distance_ms=0.0))
        yield running


@pytest.fixture(scope="module")
def users(stack: EmbeddedStack) -> list[User]:
    path = stack.mint(stack.strategies[BOTH], USERS)
    return [User(caller_of(dict(row)), stack.user_password) for row in Minted.read(path).rows]


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=ANSWERS_WITHIN_S) as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_is_left(stack: EmbeddedStack) -> Iterator[None]:
    before = stack.tiers
    yield
    stack.check()
    assert stack.tiers == before
    assert all(seen(stack, name) == ["up", "up"] for name in stack.strategies)
    assert states(stack, *before).isdisjoint("T")
    assert relay_of(stack).status().toxics == {}
    assert mounted(stack) == []


def fault(part: str, action: str, **more: Any) -> Fault:
    return Fault.model_validate({"part": part, "action": action, "at_s": 0, **more})


def seen(stack: EmbeddedStack, strategy: str, within_s: float = ANSWERS_WITHIN_S) -> list[str]:
    """What each of its replicas says of itself, asked at once."""
    urls = stack.replica_urls(strategy)
    with ThreadPoolExecutor(len(urls)) as asking:
        return list(asking.map(lambda url: _asked(url, within_s), urls))


def expect(stack: EmbeddedStack, strategy: str, expected: list[str]) -> None:
    within_s = SILENT_FOR_S if "silent" in expected else ANSWERS_WITHIN_S
    assert seen(stack, strategy, within_s) == expected


def _asked(url: str, within_s: float) -> str:
    try:
        answer = httpx.get(f"{url}/healthz", trust_env=False, timeout=within_s)
    except httpx.ReadTimeout:
        return "silent"
    except httpx.ConnectError:
        return "refused"
    down = [name for name, state in answer.json().items() if state == "down"]
    return f"without {' '.join(down)}" if down else "up"


def states(stack: EmbeddedStack, *services: str) -> set[str]:
    found = (read(pid) for name in services for pid in stack.pids(name))
    return {process.state for process in found if process is not None}


def mounted(stack: EmbeddedStack) -> list[str]:
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return [path for line in mounts if (path := line.split()[1]).startswith(str(stack.folder.parent))]


def relay_of(stack: EmbeddedStack) -> Relay:
    assert stack.relay is not None
    return stack.relay


@pytest.mark.parametrize(
    ("strategy", "part", "service", "killed", "paused"),
    [
        (BOTH, "replica", f"{BOTH}-1", ["refused", "up"], ["silent", "up"]),
        (BOTH, "database", "postgres", ["without database"] * 2, ["silent"] * 2),
        (BOTH, "cache", "valkey", ["without cache"] * 2, ["silent"] * 2),
        (CENTRAL, "auth", f"{CENTRAL}-auth", ["without service"] * 2, ["silent"] * 2),
    ],
)
def test_a_part_is_killed_or_paused_and_comes_back(
    stack: EmbeddedStack, strategy: str, part: str, service: str, killed: list[str], paused: list[str]
) -> None:
    before = stack.pids(service)
    with Injector(stack, strategy) as injector:
        injector.begin(kill := fault(part, "kill"))
        assert not any((process := read(pid)) and process.runs for pid in before)
        stack.check()  # no defect
        expect(stack, strategy, killed)
        injector.end(kill)
        assert stack.running(service).pid not in before
        expect(stack, strategy, ["up", "up"])
        injector.begin(fault(part, "pause"))
        assert states(stack, service) == {"T"}
        stack.check()
        expect(stack, strategy, paused)
    # Leaving the block has it go on.


def test_faults_of_several_strategies_begin_and_end_at_once(stack: EmbeddedStack) -> None:
    def down(strategy: str) -> list[str]:
        with Injector(stack, strategy) as injector:
            injector.begin(kill := fault("replica", "kill"))
            answered = seen(stack, strategy)
            injector.end(kill)
            return answered

    with ThreadPoolExecutor(len(stack.strategies)) as pool:
        assert list(pool.map(down, stack.strategies)) == [["refused", "up"]] * 3


@pytest.mark.parametrize(
    ("strategy", "part", "service"),
    [
        (BOTH, "replica", f"{BOTH}-2"),
        (BOTH, "database", "postgres"),
        (BOTH, "cache", "valkey"),
        (CENTRAL, "auth", f"{CENTRAL}-auth"),
    ],
)
def test_a_part_restarts_in_an_orderly_way(stack: EmbeddedStack, strategy: str, part: str, service: str) -> None:
    before = stack.pids(service)
    with Injector(stack, strategy) as injector:
        injector.begin(restart := fault(part, "restart", **({"number": 2} if part == "replica" else {})))
        expect(stack, strategy, ["up", "up"])  # over when it returns
        injector.end(restart)
    assert before.isdisjoint(stack.pids(service))
    if part == "database":
        assert "not properly shut down" not in stack.log(service).read_text().rpartition("starting PostgreSQL")[2]


def test_what_was_committed_outlives_a_killed_database(
    stack: EmbeddedStack, users: list[User], http: httpx.Client
) -> None:
    client = Visitor(http, stack.url(BOTH), stack.strategies[BOTH])
    assert client.log_in(users[0]).status == 200
    created = [client.call("orders-create", ORDER).status for _ in range(20)]
    with Injector(stack, BOTH) as injector:
        injector.begin(fault("database", "kill"))
    assert created == [201] * 20
    with stack.postgres.connect(database_of(BOTH)) as asked:
        assert asked.execute("SELECT count(*) FROM shop_order").fetchone() == (20,)


def test_a_flush_empties_the_strategys_own_cache_alone(stack: EmbeddedStack) -> None:
    def cache(strategy: str) -> "redis.Redis":
        return redis.Redis.from_url(stack.valkey.url(stack.cache_database(strategy)))

    with cache(BOTH) as own, cache(FILE) as other:
        own.set("kept", "no")
        other.set("kept", "yes")
        with Injector(stack, BOTH) as injector:
            injector.begin(fault("cache", "flush"))
            assert (own.dbsize(), other.get("kept")) == (0, b"yes")
        other.delete("kept")


def test_connections_are_used_up_but_for_the_bench(stack: EmbeddedStack) -> None:
    def connected() -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(stack.dsn(BOTH), connect_timeout=5)

    with Injector(stack, BOTH) as injector:
        injector.prepare(exhaust := fault("database", "exhaust", connections_left=2))
        with connected(), connected(), connected():
            pass
        injector.begin(exhaust)
        with connected(), connected():
            with pytest.raises(psycopg.OperationalError, match=r"slots are reserved|too many clients"):
                connected()
            stack.postgres.connect().close()  # the administrator still gets in
        injector.end(exhaust)
        with connected(), connected(), connected():
            pass


def test_a_replicas_clock_is_ahead(stack: EmbeddedStack) -> None:
    def ahead_s() -> list[int]:
        dates = [httpx.get(f"{url}/healthz", trust_env=False).headers["Date"] for url in stack.replica_urls(BOTH)]
        return [round((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() / 60) * 60 for date in dates]

    with Injector(stack, BOTH) as injector:
        injector.begin(skew := fault("replica", "skew", ahead_s=-600, number=2))
        assert ahead_s() == [0, -600]
        injector.end(skew)
        assert ahead_s() == [0, 0]


@pytest.mark.parametrize(("part", "without"), [("database", "without database"), ("cache", "without cache")])
def test_a_way_to_a_store_is_cut(stack: EmbeddedStack, part: str, without: str) -> None:
    cut: list[tuple[str, dict[str, float], str]] = [
        ("reset_peer", {}, without),
        ("timeout", {}, "silent"),
        ("timeout", {"timeout_ms": 50.0}, without),
        ("down", {}, without),
    ]
    with Injector(stack, BOTH) as injector:
        for action, figures, expected in cut:
            injector.begin(one := fault(part, action, **figures))
            expect(stack, BOTH, [expected] * 2)
            injector.end(one)
            expect(stack, BOTH, ["up", "up"])
            assert stack.valkey.connect().ping()  # the store itself never noticed


@pytest.mark.parametrize("stream", ["downstream", "upstream"])
def test_a_way_to_a_store_gets_slow_and_keeps_every_byte(stack: EmbeddedStack, stream: str) -> None:
    relay = relay_of(stack)
    with Injector(stack, BOTH) as injector:
        injector.begin(slow := fault("cache", "latency", latency_ms=30, jitter_ms=10, stream=stream))
        assert relay.status().toxics == {VALKEY: "latency"}
        client = stack.valkey.at(relay.valkey_port).connect()
        client.ping()
        begun = time.monotonic()
        assert client.echo("heard") == "heard"
        assert time.monotonic() - begun >= 0.02
        injector.end(slow)
        injector.begin(fault("database", "bandwidth", rate_kbps=100, stream=stream))
        assert relay.status().toxics == {POSTGRES: "bandwidth"}
        database = stack.postgres.at(relay.postgres_port).connect()
        begun = time.monotonic()
        row = database.execute("SELECT %b::bytea", (sent := os.urandom(10_000),)).fetchone()
        assert row == (sent,)
        assert time.monotonic() - begun >= 0.1
        database.close()
        client.close()


def test_a_swallowed_answer_has_been_given_and_a_swallowed_question_never_asked(stack: EmbeddedStack) -> None:
    relay = relay_of(stack)
    with Injector(stack, BOTH) as injector, stack.valkey.connect() as direct:
        for stream, reached in (("downstream", "yes"), ("upstream", None)):
            client = stack.valkey.at(relay.valkey_port).connect(timeout_s=0.1)
            client.ping()
            injector.begin(blackhole := fault("cache", "timeout", stream=stream))
            with pytest.raises(redis.TimeoutError):
                client.set("reached", "yes")
            assert direct.getdel("reached") == reached
            injector.end(blackhole)
            client.close()


def test_a_full_folder_takes_no_new_session_and_keeps_the_old(
    stack: EmbeddedStack, users: list[User], http: httpx.Client
) -> None:
    full = fault("files", "fill")
    folder = stack.session_folder(FILE)
    before, amid, after = (Visitor(http, stack.url(FILE), stack.strategies[FILE]) for _ in range(3))
    assert before.log_in(users[0]).status == 200
    with Injector(stack, FILE) as injector:
        if (why := injector.why_not(full)) is not None:
            assert os.geteuid() != 0 or "not permitted" in why
            pytest.skip(why)
        injector.prepare(full)
        assert mounted(stack) == [str(folder)]
        injector.begin(full)
        with pytest.raises(OSError, match="No space left"):
            (folder / "more").write_bytes(bytes(4096))
        (folder / "more").unlink()
        assert before.call("whoami").status == 200
        amid.log_in(users[1])
        assert amid.call("whoami").status == 401  # whatever the login was answered
        injector.end(full)
        assert after.log_in(users[2]).status == 200
        assert before.call("logout").status < 300
    assert mounted(stack) == []
    assert after.call("whoami").status == 200
    assert before.call("whoami").status == 401  # and does not come back with the folder
    assert not (folder / "ballast").exists()


def test_what_cannot_be_injected_is_said(stack: EmbeddedStack) -> None:
    with Injector(stack, FILE) as injector:
        assert "no cache on its way" in (injector.why_not(fault("cache", "kill")) or "")
        assert "only 2 replicas run" in (injector.why_not(fault("replica", "kill", number=3)) or "")
