"""The connections to one origin: opened on demand, kept, the last used taken first."""

from time import monotonic_ns

from loadtests.aim import aim
from loadtests.connection import Connection

# The hub notices a closed idle connection within one turn; only younger closings need a look before use.
LOOK_AFTER_NS = 20_000_000


class Pool:
    """All connections to one origin. `idle` is a stack; `connections` holds them all."""

    def __init__(self, url: str, *, elsewhere: bool = False) -> None:
        """Resolves the host once; `elsewhere` as `aim` has it. Raises PlanError where that fails."""
        self.url = url
        self.family, self.address = aim(url, elsewhere=elsewhere)
        self.idle: list[Connection] = []
        self.connections: set[Connection] = set()
        self.opened = 0
        self._gone_in = self._gone_out = 0

    def take(self, cap: int) -> Connection | None:
        """An idle connection that is alive, else a new one, else None where `cap` are open.

        Raises OSError where a new one cannot be opened.
        """
        now = monotonic_ns()
        while self.idle:
            connection = self.idle.pop()
            if now - connection.idle_since < LOOK_AFTER_NS or not connection.is_stale():
                return connection
            connection.close()
        if len(self.connections) >= cap:
            return None
        connection = Connection(self)
        self.connections.add(connection)
        self.opened += 1
        return connection

    def shrink(self, cap: int) -> None:
        """Closes idle connections beyond `cap` open ones, the longest idle first."""
        while self.idle and len(self.connections) > cap:
            self.idle[0].close()

    def forget(self, connection: Connection) -> None:
        """A connection was closed."""
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self._gone_in += connection.bytes_in
        self._gone_out += connection.bytes_out
        connection.bytes_in = connection.bytes_out = 0

    def bytes_moved(self) -> tuple[int, int]:
        """Bytes received and sent so far, on closed connections too."""
        return (
            self._gone_in + sum(connection.bytes_in for connection in self.connections),
            self._gone_out + sum(connection.bytes_out for connection in self.connections),
        )

    def close(self) -> None:
        """Closes all connections."""
        for connection in list(self.connections):
            connection.close()
