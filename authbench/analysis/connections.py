"""Database connections: what a deployment's formula promises, and from which windows they may be read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from authbench.analysis.counted import counted, unresolved
from authbench.records import Trial

DEFAULT_LIMIT = 100  # PostgreSQL's own default of max_connections
# What makes CPU and latency of a window worthless, and leaves who is connected as it is.
NOISE = frozenset({"cpu-contended", "steal", "unsteady", "generator-busy", "generator-late"})


@dataclass(frozen=True, slots=True)
class Sizes:
    """What every replica and the pools are given."""

    workers: int  # processes of a replica
    threads: int  # of each; under `sync` so many processes instead
    pool: int  # connections that psycopg's pool opens at most, a process
    proxied: int  # server connections that PgBouncer opens at most, a database


@dataclass(frozen=True, order=True, slots=True)
class Way:
    """One way to serve and to pool, under one load."""

    serving: str
    pooling: str
    replicas: int
    in_flight: int  # requests at a time, over all replicas

    def formula(self, sizes: Sizes) -> str:
        """The expectation in words."""
        processes = "replicas × workers" if self.serving == "sync" or sizes.workers > 1 else "replicas"
        if self.pooling == "pgbouncer":
            return "PgBouncer's pool size"
        if self.pooling == "pool":
            return f"{processes} × pool size"
        return {"asgi": "requests in flight", "sync": processes}.get(self.serving, f"{processes} × threads")

    def expected(self, sizes: Sizes) -> int:
        """Connections of one strategy at the peak, if nothing that is done with is kept.

        Under ASGI every request has a thread of its own, so that requests in flight stand where threads stand.
        """
        if self.pooling == "pgbouncer":
            return sizes.proxied
        of_a_replica = sizes.workers * (sizes.threads if self.serving == "sync" else 1)  # processes
        if self.pooling == "pool":
            return self.replicas * of_a_replica * sizes.pool
        return self.in_flight if self.serving == "asgi" else self.replicas * sizes.workers * sizes.threads


def way_of(trial: Trial) -> Way:
    """The cell's way; the levels that are not varied are gunicorn's threads and persistent connections."""
    cell = trial.cell
    return Way(
        str(cell.get("serving", "threads")),
        str(cell.get("pooling", "persistent")),
        int(cell["replicas"]),
        trial.load.connections,
    )


def readable(trials: Sequence[Trial]) -> list[Trial]:
    """The windows that count, and, of measurements that have none, those that other programs alone have spoilt.

    Connections and statements are counts that a busy machine does not change. Nothing else may be read from these.
    """
    spoilt = [trial for trial in unresolved(trials) if {reason.code for reason in trial.reasons} <= NOISE]
    return sorted([*counted(trials), *spoilt], key=lambda trial: trial.trial)


def turned_away(trials: Iterable[Trial]) -> list[Trial]:
    """Windows with answers that say 503: a store, the database or its pool, had nothing left to give."""
    return [trial for trial in trials if any(kind.startswith("status 503") for kind in trial.load.failures)]
