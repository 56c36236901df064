"""How a strategy is deployed while it is measured: what a scenario may vary beside the strategy and the load."""

from typing import Annotated, Literal

from pydantic import Field

from authbench.records import Frozen, Level

Serving = Literal["sync", "threads", "asgi"]
Pooling = Literal["new", "persistent", "pool", "pgbouncer"]
SessionStore = Literal["shared", "separate"]
Secrets = Literal["environment", "openbao"]
SERVINGS: tuple[Serving, ...] = ("sync", "threads", "asgi")
POOLINGS: tuple[Pooling, ...] = ("new", "persistent", "pool", "pgbouncer")
DistanceMs = Annotated[float, Field(ge=0, le=100)]
Connections = Annotated[int, Field(ge=1, le=10_000)]


class Deployment(Frozen):
    """One way to run the replicas of all strategies. None: the scenario does not vary it, and [stack] says how."""

    replicas: Annotated[int, Field(ge=1, le=64)] = 2
    serving: Serving | None = None  # gunicorn's sync workers, its threads, or uvicorn
    pooling: Pooling | None = None  # what becomes of a database connection after a request
    distance_ms: DistanceMs | None = None  # round trip that a relay adds between replicas and stores
    connections: Connections | None = None  # requests in flight in the closed model, over all replicas
    session_store: SessionStore | None = None  # the session table beside the users', or on a server of its own
    secrets: Secrets | None = None  # how replicas get their keys and passwords

    def levels(self) -> dict[str, Level]:
        """Factor -> level, of those that vary."""
        return {name: level for name, level in self.model_dump().items() if level is not None}

    def order(self) -> tuple[str, ...]:
        """Sorts deployments the same way at every run."""
        return tuple(f"{name}={level:>12}" for name, level in sorted(self.levels().items()))
