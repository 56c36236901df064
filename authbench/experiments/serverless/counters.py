"""What the stores and the auth service count of one strategy's function, and who holds a connection to them."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.serverless.function import instance_name
from authbench.probes.auth import AuthProbe
from authbench.probes.cache import CacheProbe
from authbench.probes.database import DatabaseProbe

STEADY_LOOKS, PAUSE_S = 3, 0.02  # a backend that its client has left is in sight for some milliseconds more


class Totals(NamedTuple):
    """Running totals. Of the cache, of all strategies together."""

    statements: int
    opened: int  # connections to the strategy's database
    commands: int
    calls: int  # of the auth service

    def since(self, before: "Totals") -> "Totals":
        """What has been added."""
        return Totals(*(now - then for now, then in zip(self, before, strict=True)))


class Counters:
    """Reads through connections of its own, which are never counted. Use as a context manager."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._database = DatabaseProbe(stack)
        self._cache = CacheProbe(stack)
        self._auth = AuthProbe(stack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._cache.close()

    def totals(self, strategy: str) -> Totals:
        """So far. Only this strategy may be in use."""
        database = self._database.totals(strategy)
        return Totals(
            database.statements, database.sessions, sum(self._cache.totals().values()), self._auth.total(strategy)
        )

    def held(self, strategy: str) -> tuple[int, int]:
        """Connections of its instances to database and cache, once nothing moves any more."""
        self._database.before(strategy)
        self._cache.before(strategy)
        own = instance_name(strategy, 0).removesuffix("0")
        return _steady(lambda: (self._to_database(f"authbench:{strategy}:{own}"), self._to_cache(own)))

    def _to_database(self, prefix: str) -> int:
        # By instance, and not by strategy: its auth service, too, keeps connections to the database.
        found = self._database.connections()
        return sum(sum(states.values()) for name, states in found.items() if name.startswith(prefix))

    def _to_cache(self, prefix: str) -> int:
        found = self._cache.connections_by_replica()
        return sum(count for name, count in found.items() if name.startswith(prefix))


def _steady(look: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    seen, times = look(), 1
    while times < STEADY_LOOKS:
        time.sleep(PAUSE_S)
        seen, before = look(), seen
        times = times + 1 if seen == before else 1
    return seen
