"""What both stores have counted for one strategy so far, for verification."""

from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from authbench.backends.embedded import EmbeddedStack
from authbench.probes.auth import AuthProbe
from authbench.probes.cache import CacheProbe
from authbench.probes.database import DatabaseProbe, session_probe


class StoreTotals(NamedTuple):
    """Running totals."""

    sql: int  # statements, without BEGIN and COMMIT
    cache: int  # commands of all strategies together, without connection set-up
    auth: int  # requests to the strategy's auth service


class StoreReader:
    """Reads PostgreSQL's and Valkey's own counts. Use as a context manager."""

    def __init__(self, stack: EmbeddedStack) -> None:
        sessions = session_probe(stack)
        self._databases = (DatabaseProbe(stack), *([sessions] if sessions else []))
        self._cache = CacheProbe(stack)
        self._auth = AuthProbe(stack)

    def of(self, strategy: str) -> Callable[[], StoreTotals]:
        """A question that can be asked again and again."""
        return lambda: StoreTotals(
            sum(database.totals(strategy).statements for database in self._databases),
            sum(self._cache.totals().values()),
            self._auth.total(strategy),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for database in self._databases:
            database.close()
        self._cache.close()
