"""Orders that a window has added, read back from the database: what was acknowledged must be there, and nothing else.

A connection of its own before and one after the window, so that none is open while anything is counted.
"""

import psycopg

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError

NEWEST = "SELECT coalesce(max(id), 0) FROM shop_order"
ADDED = "SELECT count(*) FROM shop_order WHERE id > %s"


class OrdersProbe:
    """Counts one strategy's new orders. Raises StackError where the database does not answer."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._stack = stack
        self._strategy = ""
        self._newest = 0

    def before(self, strategy: str) -> None:
        """Remembers the newest order; no request may be in flight."""
        self._strategy = strategy
        self._newest = self._read(NEWEST)

    def after(self) -> int:
        """How many there are beyond it."""
        return self._read(ADDED, self._newest)

    def _read(self, statement: str, *values: int) -> int:
        try:
            with psycopg.connect(self._stack.dsn(self._strategy), application_name="reading back") as connection:
                row = connection.execute(statement, values).fetchone()
        except psycopg.Error as error:
            raise StackError(f"{self._strategy}: orders cannot be read back ({error})") from error
        assert row is not None
        return int(row[0])
