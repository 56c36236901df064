"""What is done to a store that goes on running: emptied, slowed, cut off, or used up."""

import contextlib
import time
from collections.abc import Mapping
from typing import Literal, cast

import psycopg
import redis

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.faults.fault import Fault
from authbench.faults.injection import Unprepared
from authbench.relaying.toxic import Kind
from authbench.stack import postgres, relay, valkey
from authbench.stack.databases import database_of

Store = Literal["database", "cache"]
ROUTES: Mapping[Store, str] = {"database": relay.POSTGRES, "cache": relay.VALKEY}  # of the relay
FIGURES = ("latency_ms", "jitter_ms", "rate_kbps", "timeout_ms")
SPARE = 32  # connections that replicas may need until the fault begins
FREE = b"""
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
  - coalesce(current_setting('reserved_connections', true)::int, 0) - count(*)::int
FROM pg_stat_activity WHERE backend_type = 'client backend'"""
TAKEN = "53300"  # too_many_connections
SETTLED_WITHIN_S = 10.0
ANSWERS_WITHIN_S = 5.0
PAUSE_S = 0.01  # between two questions


class Flush(Unprepared):
    """Empties the strategy's own database of the cache; nobody can bring back what was there."""

    def __init__(self, stack: EmbeddedStack, strategy: str) -> None:
        self._stack = stack
        self._number = stack.cache_database(strategy)

    def begin(self) -> None:
        """Returns when it has been emptied."""
        try:
            url = self._stack.valkey.url(self._number)
            with redis.Redis.from_url(url, client_name=valkey.PROBE, socket_timeout=ANSWERS_WITHIN_S) as client:
                client.flushdb()
        except redis.RedisError as error:
            raise StackError(f"{valkey.NAME}: cannot be flushed: {error}") from error

    def end(self) -> None:
        """Nothing."""


class Network(Unprepared):
    """A toxic on the way between replicas and one store."""

    def __init__(self, stack: EmbeddedStack, fault: Fault) -> None:
        self._stack = stack
        self._fault = fault
        self._route = ROUTES[cast(Store, fault.part)]

    def why_not(self) -> str | None:
        """Replicas must have been started behind the relay."""
        if self._stack.relay is not None and self._stack.deployment.distance_ms is not None:
            return None
        return f"{self._fault.name}: cannot be injected here: replicas reach their stores without the relay"

    def begin(self) -> None:
        """Returns when the relay has it."""
        figures = {name: value for name in FIGURES if (value := getattr(self._fault, name)) is not None}
        self._relay().set_toxic(
            self._route, cast(Kind, self._fault.action), self._fault.stream or "downstream", **figures
        )

    def end(self) -> None:
        """Returns when it is gone."""
        if self._stack.relay is not None:
            self._stack.relay.clear_toxic(self._route)

    def _relay(self) -> relay.Relay:
        if self._stack.relay is None:
            raise StackError(self.why_not() or "")
        return self._stack.relay


class Exhaust(Unprepared):
    """Idle connections of the shop's own account until the server takes only so many more of it.

    What PostgreSQL keeps back for administrators stays free: the bench can go on looking.
    """

    def __init__(self, stack: EmbeddedStack, strategy: str, left: int) -> None:
        self._stack = stack
        self._dsn = stack.dsn(strategy)
        self._database = database_of(strategy)
        self._left = left
        self._held: list[psycopg.Connection[tuple[object, ...]]] = []

    def prepare(self) -> None:
        """Takes all but the last few: each takes milliseconds, and there may be hundreds."""
        try:
            with self._stack.postgres.connect() as asked:
                row = asked.execute(FREE).fetchone()
            free = cast(int, row[0]) if row else 0
            for _ in range(free - self._left - SPARE):
                self._held.append(self._connected())
        except psycopg.OperationalError as error:
            raise StackError(f"{postgres.NAME}: its connections cannot be used up: {error}") from error

    def begin(self) -> None:
        """Returns when the server has refused one, and as many as are to be left have been let go."""
        try:
            while True:
                self._held.append(self._connected())
        except psycopg.OperationalError as error:
            # libpq tells no SQLSTATE for what ends a connection before it begins.
            if error.sqlstate != TAKEN and "slots are reserved" not in str(error) and "too many" not in str(error):
                raise StackError(f"{postgres.NAME}: its connections cannot be used up: {error}") from error
        if len(self._held) < self._left:
            raise StackError(
                f"{postgres.NAME}: {self._left} connections cannot be left, only {len(self._held)} were free"
            )
        self._let_go(self._left)

    def end(self) -> None:
        """Returns when the server knows that they are gone."""
        self._let_go(len(self._held))

    def close(self) -> None:
        """As `end`, where it was prepared only."""
        if self._held:
            self.end()

    def _connected(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._dsn, application_name=postgres.PROBE, autocommit=True, connect_timeout=5)

    def _let_go(self, count: int) -> None:
        going = [self._held.pop() for _ in range(count)]
        pids = [each.info.backend_pid for each in going]
        for each in going:
            with contextlib.suppress(psycopg.Error):
                each.close()
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while pids and (still := self._still(pids)) != 0:
            if time.monotonic() > deadline:
                raise StackError(
                    f"{postgres.NAME}: " + ("does not answer" if still is None else "keeps what was closed")
                )
            time.sleep(PAUSE_S)

    def _still(self, pids: list[int]) -> int | None:
        """How many of these connections the server still has; None where it does not take even an administrator's.

        That happens for moments: whoever is refused has held a slot until then, a reserved one as well.
        """
        try:
            with self._stack.postgres.connect() as asked:
                row = asked.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", (pids,)).fetchone()
        except psycopg.OperationalError:
            return None
        return cast(int, row[0]) if row else None
