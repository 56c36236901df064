"""A request that is stopped at a known place, so that something else can be done before it goes on.

One replica reaches its stores through the relay, which counts exchanges. A toxic of the relay keeps each of them back
before its store has seen it, until the bench lets it go on. So while the n-th exchange of a request waits there,
everything up to the one before it has been done, and nothing after. What is done meanwhile counts only where the relay
still had the n-th exchange afterwards: that is asked, never hoped for.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.faults.stores import ROUTES, Store
from authbench.relaying.toxic import Kind
from authbench.stack import relay
from authbench.stack.databases import database_of
from authbench.stack.replicas import replica_name

T = TypeVar("T")
M = TypeVar("M")
HELD, FREE = 1, 2  # numbers of the replica behind the relay and of the other
HOLD_S = 8.0  # longest that the relay keeps one exchange back; what took longer does not count
ENDS_WITHIN_S = 30.0
GATE: Kind = "latency"
UNNAMED = "?"
LONGEST_NAME = 63  # bytes of what PostgreSQL keeps of an application_name
PAUSE_S = 0.001  # between two looks at the relay's counts
# One thread, so that a request is the only thing that moves; its connections last, so that each is the same exchanges.
TOLD = {"AUTHBENCH_THREADS": "1", "AUTHBENCH_CONN_MAX_AGE": "3600"}
AWAITED = "SELECT FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
STATEMENT = re.compile(r'\s*(SELECT|INSERT|UPDATE|DELETE)\b.*?(?:\bFROM|\bINTO|(?<=UPDATE))\s+"?(\w+)', re.S | re.I)


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange of a request with a store."""

    number: int  # in the request, from 1
    store: Store
    operation: str  # `GET`, `UPDATE django_session`


@dataclass(frozen=True, slots=True)
class Overtaken(Generic[T, M]):
    """A request, and what was done while it was held."""

    answer: T
    meanwhile: M | None  # None: the request never came so far
    certain: bool  # it was held there from before `meanwhile` began until after it had ended
    waited: bool = False  # `meanwhile` waited for a lock that the held request has: the database puts it second


class Held:
    """The first replica of a strategy, behind the relay that runs, alone with one request at a time."""

    def __init__(self, stack: EmbeddedStack, strategy: str) -> None:
        self._stack = stack
        self._strategy = strategy
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Starts the replica. Raises StackError."""
        self._stack.begin_replica(self._strategy, HELD, TOLD)
        self._pool = self._open.enter_context(ThreadPoolExecutor(2))
        self._cache = self._stack.valkey.connect()
        self._open.callback(self._cache.close)
        self._database = self._open.enter_context(self._stack.postgres.connect())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def steps(self, request: Callable[[], T]) -> tuple[T, tuple[Step, ...]]:
        """Sends it and tells what it does, exchange by exchange."""
        stores: list[Store] = []
        operations: list[str] = []
        calls: Mapping[str, int] = self._calls()
        seen = self._counts()
        with self._stopped():
            running = self._pool.submit(request)
            for store in self._exchanges(running, seen):
                if stores:  # the one before has been done
                    calls, operation = self._done_last(stores[-1], calls)
                    operations.append(operation)
                stores.append(store)
        answer = self._end(running)
        if stores:
            operations.append(self._done_last(stores[-1], calls)[1])
        named = enumerate(zip(stores, operations, strict=True), start=1)
        return answer, tuple(Step(number, store, operation) for number, (store, operation) in named)

    def overtake(
        self, step: Step, request: Callable[[], T], meanwhile: Callable[[], M], *, frees: bool = False
    ) -> Overtaken[T, M]:
        """Sends it, and does `meanwhile` while the step is held. Raises StackError where it never ends.

        A toxic that `meanwhile` puts on the way to a store stays there, and what is held on that way is lost. `frees`:
        it takes the step's store away, so that the request learns of it at once and may ask the other store.
        """
        other: Future[M] | None = None
        certain = waited = False
        seen = self._counts()
        with self._stopped():
            running = self._pool.submit(request)
            for number, store in enumerate(self._exchanges(running, seen), start=1):
                if number == step.number:
                    until, before = time.monotonic() + HOLD_S / 2, self._counts()
                    other = self._pool.submit(meanwhile)
                    while not (other.done() or waited) and time.monotonic() < until:
                        waited = self._a_lock_is_awaited()
                    in_time = other.done() and time.monotonic() < until
                    now = self._counts()
                    as_before = before[store] == now[store] if frees else before == now
                    certain = in_time and store == step.store and as_before
                    break
        done = self._end(other) if other else None
        return Overtaken(self._end(running), done, certain, waited and not certain)

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        """Every exchange is kept back, until the block is left."""
        try:
            for route in ROUTES.values():
                self._shut(route)
            yield
        finally:
            for route in ROUTES.values():
                if self._relay.status().toxics.get(route) == GATE:  # and nobody else's toxic
                    self._relay.clear_toxic(route)

    def _shut(self, route: str) -> None:
        """Lets go what is held there, and keeps back what comes."""
        self._relay.set_toxic(route, GATE, "upstream", latency_ms=HOLD_S * 1000)

    def _exchanges(self, running: "Future[T]", seen: Mapping[Store, int]) -> Iterator[Store]:
        """The store of each exchange as it is held; it is let go when the next one is asked for."""
        deadline = time.monotonic() + ENDS_WITHIN_S
        while time.monotonic() < deadline:
            now = self._counts()
            came = next((store for store in ROUTES if now[store] != seen[store]), None)
            if came is not None:
                seen = now
                yield came
                self._shut(ROUTES[came])
            elif running.done():
                return
            else:
                time.sleep(PAUSE_S)

    def _a_lock_is_awaited(self) -> bool:
        name = database_of(self._strategy)
        return self._database.execute(AWAITED, (name,)).fetchone() is not None

    def _end(self, running: "Future[T]") -> T:
        try:
            return running.result(ENDS_WITHIN_S)
        except TimeoutError as error:
            raise StackError(f"{self._strategy}: a request that was held does not end") from error

    @property
    def _relay(self) -> relay.Relay:
        if self._stack.relay is None:
            raise StackError("relay: does not run")
        return self._stack.relay

    def _counts(self) -> dict[Store, int]:
        routes = self._relay.status().routes
        return {store: routes[name].exchanges for store, name in ROUTES.items()}

    def _done_last(self, store: Store, calls: Mapping[str, int]) -> tuple[Mapping[str, int], str]:
        """Valkey's counts of commands now, and the operation that the replica has done last at that store."""
        if store == "database":
            return calls, self._last_statement()
        now = self._calls()
        return now, " ".join(name for name, count in now.items() if count != calls.get(name, 0)).upper() or UNNAMED

    def _calls(self) -> dict[str, int]:
        counts = self._cache.info("commandstats")
        return {name.removeprefix("cmdstat_"): each["calls"] for name, each in counts.items() if "info" not in name}

    def _last_statement(self) -> str:
        # Of names that PostgreSQL cuts off, the other replica's may be the same: it has done nothing since.
        name = f"authbench:{self._strategy}:{replica_name(self._strategy, HELD)}"[:LONGEST_NAME]
        row = self._database.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = %s AND application_name = %s"
            " ORDER BY state_change DESC LIMIT 1",
            (database_of(self._strategy), name),
        ).fetchone()
        return described(str(row[0])) if row else UNNAMED


def described(statement: str) -> str:
    """`UPDATE django_session` for such a statement; the first word of any other."""
    if found := STATEMENT.match(statement):
        return f"{found[1].upper()} {found[2]}"
    return (statement.split() or [UNNAMED])[0].upper()
