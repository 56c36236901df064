"""PostgreSQL for coroutines: one statement at a time on psycopg's pool."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, AsyncNullConnectionPool

from apps.services.statements import OUTAGES, Row
from apps.services.told import Told

WAITING_S = 2.0  # for a connection: as long as opening one may take


class Database:
    """A bounded number of connections, opened on demand and kept."""

    def __init__(self, told: Told) -> None:
        bounds: dict[str, Any] = {
            "min_size": 0,
            "max_size": told.threads,
            "timeout": WAITING_S,
            "reconnect_timeout": 0.0,  # no attempts in the background: the next request makes one
            "kwargs": dict(told.database),
            "open": False,
        }
        self._keywords = told.database
        self.pool: AsyncConnectionPool[Any] = (
            AsyncConnectionPool(max_lifetime=told.connection_age_s, **bounds)
            if told.connection_age_s
            else AsyncNullConnectionPool(**bounds)
        )

    async def rows(self, statement: str, *parameters: Any) -> Sequence[Row]:
        """The rows that one statement gives."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def answers(self) -> bool:
        """Asks by a connection of its own, since libpq bounds the time to open one."""
        try:
            await (await psycopg.AsyncConnection.connect(**self._keywords)).close()
        except OUTAGES:
            return False
        return True
