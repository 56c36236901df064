"""PostgreSQL for a server with threads: a connection a thread, opened on demand and kept, as in Django."""

import threading
import time
from collections.abc import Sequence

import psycopg

from apps.services.statements import OUTAGES, Row
from apps.services.told import Told


class Database:
    """As many connections as threads ask it."""

    def __init__(self, told: Told) -> None:
        self._keywords = told.database
        self._age_s = told.connection_age_s
        self._mine = threading.local()

    def rows(self, statement: str, *parameters: object) -> Sequence[Row]:
        """The rows that one statement gives. A connection that failed is not used again."""
        connection = self._connection()
        try:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []
        finally:
            if connection.broken or time.monotonic() >= self._mine.ends:
                self._drop()

    def answers(self) -> bool:
        """Asks by a connection of its own, since libpq bounds the time to open one."""
        try:
            psycopg.connect(**self._keywords).close()
        except OUTAGES:
            return False
        return True

    def _connection(self) -> "psycopg.Connection[Row]":
        if getattr(self._mine, "connection", None) is None:
            self._mine.connection = psycopg.connect(**self._keywords)
            self._mine.ends = time.monotonic() + self._age_s
        return self._mine.connection

    def _drop(self) -> None:
        self._mine.connection.close()
        self._mine.connection = None
