"""How a request is stopped: in front of which operation, what is certain, and who goes first where a lock decides."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any, cast

import pytest

from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.revival.held import Held, Overtaken, Step

SECONDS = 5.0  # that nothing here takes


class Relay:
    """Counts exchanges and keeps them back where a toxic is set, as the real one does."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._counts = {"postgres": 0, "valkey": 0}
        self._toxics: dict[str, str] = {}
        self._held: dict[str, Event] = {}
        self._lock = Lock()

    def exchange(self, route: str, what: str) -> None:
        """A request's: returns when it has been let go."""
        with self._lock:
            held = self._held[route] = Event()
            if route not in self._toxics:
                held.set()
            self._counts[route] += 1
        assert held.wait(SECONDS)
        self.done.append(what)

    def status(self) -> SimpleNamespace:
        with self._lock:
            routes = {name: SimpleNamespace(exchanges=count) for name, count in self._counts.items()}
            return SimpleNamespace(routes=routes, toxics=dict(self._toxics))

    def set_toxic(self, route: str, kind: str, *_: object, **__: object) -> None:
        with self._lock:
            self._toxics[route] = kind
            self._let_go(route)

    def clear_toxic(self, route: str) -> None:
        with self._lock:
            del self._toxics[route]
            self._let_go(route)

    def _let_go(self, route: str) -> None:
        if route in self._held:
            self._held[route].set()


class Database:
    """Says whether a lock is awaited, and which statement was the last."""

    def __init__(self) -> None:
        self.locked = Event()

    def execute(self, query: str, _: object) -> SimpleNamespace:
        row = ("BEGIN",) if "query" in query else (() if self.locked.is_set() else None)
        return SimpleNamespace(fetchone=lambda: row)


class Cache:
    """Counts one command more at every look."""

    def __init__(self) -> None:
        self._calls = 0

    def info(self, _: str) -> dict[str, dict[str, int]]:
        self._calls += 1
        return {"cmdstat_get": {"calls": self._calls}, "cmdstat_info": {"calls": 99}}

    def close(self) -> None: ...


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def held(relay: Relay, database: Database) -> Iterator[Held]:
    @contextmanager
    def connect() -> Iterator[Database]:
        yield database

    stack: Any = SimpleNamespace(
        relay=relay,
        begin_replica=lambda *_: None,
        valkey=SimpleNamespace(connect=Cache),
        postgres=SimpleNamespace(connect=connect),
    )
    with Held(cast(EmbeddedStack, stack), "session-cache") as up:
        yield up


def request(relay: Relay) -> str:
    relay.exchange("valkey", "first")
    relay.exchange("postgres", "second")
    relay.exchange("valkey", "third")
    return "answered"


def test_its_operations_are_named_as_they_were_done(relay: Relay, held: Held) -> None:
    answer, steps = held.steps(lambda: request(relay))
    assert answer == "answered"
    assert steps == (Step(1, "cache", "GET"), Step(2, "database", "BEGIN"), Step(3, "cache", "GET"))
    assert relay.status().toxics == {}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_done_meanwhile_comes_between_two_operations(relay: Relay, held: Held, number: int) -> None:
    store = "database" if number == 2 else "cache"
    done = held.overtake(Step(number, store, ""), lambda: request(relay), lambda: relay.done.append("meanwhile"))  # type: ignore[arg-type]
    assert relay.done.index("meanwhile") == number - 1
    assert (done.answer, done.certain, done.waited) == ("answered", True, False)
    assert relay.status().toxics == {}


def test_a_request_that_does_not_come_so_far_is_not_overtaken(relay: Relay, held: Held) -> None:
    done = held.overtake(Step(4, "cache", ""), lambda: request(relay), lambda: relay.done.append("meanwhile"))
    assert done == Overtaken("answered", None, certain=False)
    assert "meanwhile" not in relay.done


def test_another_store_than_meant_does_not_count(relay: Relay, held: Held) -> None:
    assert not held.overtake(Step(2, "cache", ""), lambda: request(relay), lambda: None).certain


def test_who_waits_for_the_requests_lock_comes_second(relay: Relay, database: Database, held: Held) -> None:
    freed = Event()

    def holding() -> str:
        answer = request(relay)
        freed.set()
        return answer

    def waiting() -> str:
        database.locked.set()
        assert freed.wait(SECONDS)
        return "second"

    done = held.overtake(Step(3, "cache", ""), holding, waiting)
    assert done == Overtaken("answered", "second", certain=False, waited=True)


def test_a_store_that_was_taken_away_meanwhile_stays_away(relay: Relay, held: Held) -> None:
    held.overtake(Step(3, "cache", ""), lambda: request(relay), lambda: relay.set_toxic("valkey", "down"))
    assert relay.status().toxics == {"valkey": "down"}
