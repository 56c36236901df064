"""Where connections of one route come in."""

import socket

from authbench.relaying.tally import Route
from authbench.relaying.toxic import Toxic

LOOPBACK = "127.0.0.1"
BACKLOG = 1024


class Entrance:
    """A listening port and the store that it leads to. Opens at once. Raises OSError where the port is taken."""

    __slots__ = ("listener", "port", "route", "store", "toxic")

    def __init__(self, name: str, port: int, store: int) -> None:
        self.route = Route(name)
        self.port = port
        self.store = store  # its own port
        self.toxic: Toxic | None = None
        self.listener: socket.socket | None = listening(port)

    def reopen(self) -> socket.socket:
        """Listens again on the same port."""
        self.listener = listening(self.port)
        return self.listener

    def close(self) -> None:
        """From now on a connection is refused; those that nobody has accepted yet are reset by the kernel."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None


def listening(port: int) -> socket.socket:
    """A non-blocking listener on the loopback address. Raises OSError."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((LOOPBACK, port))
    made.listen(BACKLOG)
    made.setblocking(False)
    return made
