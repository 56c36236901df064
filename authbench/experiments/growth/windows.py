"""Windows of load on one strategy, with the CPU of every tier and PostgreSQL's exact counts around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from apps.contract.registry import Strategy
from authbench.analysis.validity import load_reasons
from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.watched import Watch
from authbench.generator import Fire, Generator
from authbench.records import Load, Reason, Tier
from authbench.stack.databases import database_of
from authbench.working_set import REWARM_REQUESTS, WARM_UP_REQUESTS_A_WORKER

CONNECTIONS = 16  # of the closed model
POOL = 64  # most connections of the open one
LONGEST_ANSWER_S = 60.0  # logins queue behind each other's hashes

# Right as soon as a statement's transaction has been answered, unlike the counts of pg_stat_user_tables and
# pg_statio_user_tables, which a backend hands over once a second or later.
COUNTS = """
SELECT coalesce(sum(calls), 0)::bigint,
       coalesce(sum(shared_blks_hit + shared_blks_read), 0)::bigint,
       coalesce(sum(shared_blks_read), 0)::bigint,
       coalesce(sum(rows) FILTER (WHERE query ~* '^(insert|update|delete)'), 0)::bigint
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = %s)
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one database, so far or in a window."""

    statements: int
    blocks: int  # read, wherever they were
    outside: int  # of those, not in shared buffers
    written: int  # rows inserted, updated and deleted

    def since(self, before: "Counts") -> "Counts":
        """What was added."""
        return Counts(
            self.statements - before.statements,
            self.blocks - before.blocks,
            self.outside - before.outside,
            self.written - before.written,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """One window of load and what it used."""

    load: Load
    cpu_s: Mapping[Tier, float]
    counts: Counts
    reasons: tuple[Reason, ...]  # why it does not count

    def cpu_ms(self, *tiers: Tier) -> float | None:
        """CPU a right answer, of these tiers or of all, in milliseconds; None where there was no right answer."""
        used = [seconds for tier, seconds in self.cpu_s.items() if not tiers or tier in tiers]
        return 1000 * sum(used) / self.load.ok if self.load.ok else None

    def each(self, count: int) -> float | None:
        """A count, an answered request."""
        answered = self.load.ok + self.load.refused + self.load.failed
        return count / answered if answered else None


class Windows:
    """Fires and reads. Use as a context manager."""

    def __init__(self, stack: EmbeddedStack, generator: Generator) -> None:
        self._stack = stack
        self._generator = generator
        self._connection: psycopg.Connection[tuple[object, ...]] = stack.postgres.connect()
        self._watch = Watch(stack, generator)
        self._warm: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def start_launch(self) -> None:
        """The processes are new."""
        self._warm.clear()

    def warm_up_requests(self, strategy: str, endpoint: str) -> int:
        """How many requests warm the strategy's processes up for this endpoint."""
        if (strategy, endpoint) in self._warm:
            return REWARM_REQUESTS * self._stack.replicas
        return WARM_UP_REQUESTS_A_WORKER * self._stack.replicas

    def warm_up(self, strategy: str, endpoint: str, path: Path, most: int | None = None) -> int:
        """Sends them, at most `most`; how many that were."""
        count = min(self.warm_up_requests(strategy, endpoint), most or 1_000_000)
        self._generator.fire(self.closed(strategy, path, count=count))
        self._warm.add((strategy, endpoint))
        return count

    def fire(self, strategy: Strategy, plan: Fire, attempts: int = 1) -> Window:
        """A measured window; up to so many, until one counts. What anybody else asks of the strategy counts with it."""
        for _ in range(attempts):
            window = self._fire(strategy, plan)
            if not window.reasons:
                break
        return window

    def _fire(self, strategy: Strategy, plan: Fire) -> Window:
        before = self.counts(strategy.name)
        seen = self._watch.fire(strategy.name, plan)
        counts = self.counts(strategy.name).since(before)
        return Window(seen.load, seen.use.cpu_s, counts, (*load_reasons(seen.load), *seen.disturbed))

    def counts(self, strategy: str) -> Counts:
        """Of the strategy's database so far; read from another one, so that reading is not counted."""
        row = self._connection.execute(COUNTS, (database_of(strategy),)).fetchone()
        assert row is not None
        return Counts(*(int(str(value)) for value in row))

    def closed(
        self,
        strategy: str,
        path: Path,
        *,
        duration_s: float | None = None,
        count: int | None = None,
        first: int = 0,
        connections: int = CONNECTIONS,
    ) -> Fire:
        """A plan of the closed model."""
        return Fire(
            url=self._stack.url(strategy),
            requests=str(path),
            model="saturate",
            connections=connections,
            duration_s=duration_s,
            count=count,
            first=first,
            timeout_s=LONGEST_ANSWER_S,
        )

    def open(
        self,
        strategy: str,
        path: Path,
        *,
        rate_rps: float,
        duration_s: float,
        seed: int,
        count: int | None = None,
        first: int = 0,
        connections: int = POOL,
    ) -> Fire:
        """A plan of the open model; at most so many connections."""
        return Fire(
            url=self._stack.url(strategy),
            requests=str(path),
            model="rate",
            connections=connections,
            rate_rps=rate_rps,
            duration_s=duration_s,
            count=count,
            first=first,
            seed=seed,
            timeout_s=LONGEST_ANSWER_S,
        )
