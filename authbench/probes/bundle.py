"""All probes of one window, read in the order that disturbs it least."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import redis

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.probes.auth import AuthProbe
from authbench.probes.balancer import BalancerProbe
from authbench.probes.cache import CacheProbe
from authbench.probes.contention import ContentionProbe
from authbench.probes.cpu import CpuProbe
from authbench.probes.database import Connections, DatabaseProbe, session_probe
from authbench.probes.memory import resident_bytes
from authbench.probes.process import ProcessProbe
from authbench.probes.sampler import Sampler
from authbench.records import Cache, CpuSource, Database, Tier

INTERVAL_S = 0.1


class _Sampled(NamedTuple):
    """What is read over and over, by the names that `Sample` has for it."""

    connections: Connections
    cache_connections: int | None
    session_connections: Connections | None


@dataclass(frozen=True, slots=True)
class Readings:
    """What the probes read about one window, as `Trial` keeps it."""

    cpu_s: Mapping[Tier, float]
    cpu_source: CpuSource
    replica_cpu_s: Mapping[str, float]
    database: Database
    session_database: Database | None  # None: sessions have no server of their own
    cache: Cache
    auth_calls: int | None  # None: the strategy has no auth service
    resident_bytes: Mapping[str, int]
    steal_share: float
    others_cpu_share: float | None
    throttled_s: float
    probe_cpu_s: float  # the bench's thread time and its backend's
    replicas_restarted: int
    samples: tuple[dict[str, Any], ...]  # members of `Sample`, but for the trial's number


class Probes:
    """Reads every tier around one window of one strategy. Its connections close with the stack."""

    def __init__(self, stack: EmbeddedStack, interval_s: float = INTERVAL_S, stat: Path = Path("/proc/stat")) -> None:
        self._stack = stack
        self._interval_s = interval_s
        self.balancer = BalancerProbe(stack)
        self._database = DatabaseProbe(stack)
        stack.at_close(self._database.close)
        self._sessions = session_probe(stack)
        if self._sessions:
            stack.at_close(self._sessions.close)
        self._cache = CacheProbe(stack)
        stack.at_close(self._cache.close)
        self._cpu = CpuProbe(stack, stat)
        self._auth = AuthProbe(stack)
        self._contention = ContentionProbe(stack, stat)
        self._process = ProcessProbe(stack)
        self._strategy = ""
        self._reads_cache = False
        self._cost_ns = 0
        self._backend_ns = 0
        self._session_backend_ns = 0
        self._sampler: Sampler[_Sampled] | None = None

    def before(self, strategy: str, beside: Iterable[int] = ()) -> None:
        """Starts to read; the CPU counters last, so that what reading costs is not charged to the stack.

        `beside`: pids of the bench's own processes, this one and the generator's, whose CPU time is nobody else's.
        """
        begin = time.thread_time_ns()
        self._strategy = strategy
        self._reads_cache = "cache" in self._stack.strategies[strategy].stores
        try:
            self._process.before(strategy)
            self._auth.before(strategy)
            self._cache.before(strategy)
            self._database.before(strategy)
            if self._sessions:
                self._sessions.before(strategy)
        except (psycopg.Error, redis.RedisError) as error:
            raise self._failed(error) from error
        self._cpu.before(strategy)
        self._backend_ns = self._database.backend_cpu_ns()
        self._session_backend_ns = self._sessions.backend_cpu_ns() if self._sessions else 0
        self._contention.before(beside)
        self._sampler = Sampler(self._sample, self._interval_s)
        self._cost_ns = time.thread_time_ns() - begin

    def after(self) -> Readings:
        """Ends the window; no request may be in flight. Raises StackError where a store no longer answers."""
        assert self._sampler is not None, "before() comes first"
        begin = time.thread_time_ns()
        try:
            others_cpu_share = self._contention.after()
            sampled = self._sampler.stop()
            backend_ns = self._database.backend_cpu_ns() - self._backend_ns
            session_ns = self._sessions.backend_cpu_ns() - self._session_backend_ns if self._sessions else 0
            cpu = self._cpu.after(backend_ns, session_ns)
            readings = [reading for _, reading in sampled.readings]
            database = self._database.after(tuple(each.connections for each in readings))
            session_database = (
                self._sessions.after(tuple(each.session_connections or {} for each in readings))
                if self._sessions
                else None
            )
            cache = self._cache.after(max(each.cache_connections or 0 for each in readings))
        except (psycopg.Error, redis.RedisError, TimeoutError) as error:
            raise self._failed(error) from error
        auth_calls = self._auth.after()
        resident = resident_bytes(self._stack, self._strategy)
        restarted = self._process.after()
        spent_ns = self._cost_ns + sampled.cpu_ns + backend_ns + session_ns + time.thread_time_ns() - begin
        return Readings(
            cpu_s=cpu.cpu_s,
            cpu_source=self._stack.cpu_source,
            replica_cpu_s=cpu.replica_cpu_s,
            database=database,
            session_database=session_database,
            cache=cache,
            auth_calls=auth_calls,
            resident_bytes=resident,
            steal_share=cpu.steal_share,
            others_cpu_share=others_cpu_share,
            throttled_s=cpu.throttled_s,
            probe_cpu_s=spent_ns / 1e9,
            replicas_restarted=restarted,
            samples=tuple({"at_s": at_s, **reading._asdict()} for at_s, reading in sampled.readings),
        )

    def _sample(self) -> _Sampled:
        return _Sampled(
            self._database.connections(),
            self._cache.connections() if self._reads_cache else None,
            self._sessions.connections() if self._sessions else None,
        )

    def _failed(self, error: Exception) -> StackError:
        self._stack.check()  # where the part has died, its log says more
        return StackError(f"reading the counters failed: {error}")
