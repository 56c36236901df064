"""One relayed connection: a client's socket, a store's, and what travels between them either way."""

import contextlib
import select
import socket
import struct

from authbench.relaying.entrance import Entrance
from authbench.relaying.flow import Flow
from authbench.relaying.tally import Route

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_RESET = struct.pack("ii", 1, 0)  # linger for 0 s: closing sends a reset


class Connection:
    """A pair of flows. The store is connected to at once; what the two ends see is the distance between them.

    A TCP handshake is an exchange as well: the relay answers the client's at once, so what it sends first is held
    back for as long as the store's answer would have taken.
    """

    __slots__ = ("_watched", "client", "closed", "down", "entrance", "half_ns", "route", "spoken", "store", "up")

    def __init__(
        self, client: socket.socket, store: socket.socket, entrance: Entrance, half_ns: int, now_ns: int
    ) -> None:
        self.client = client
        self.store = store
        self.entrance = entrance
        self.route: Route = entrance.route
        self.half_ns = half_ns
        self.up = Flow(client, store, now_ns + 3 * half_ns)  # there, back, and there with the first bytes
        self.down = Flow(store, client, now_ns + 2 * half_ns)
        self.spoken = False  # the client was the last to speak
        self.closed = False
        self._watched: dict[socket.socket, int] = {}
        self.route.accepted += 1
        self.route.open += 1

    def other(self, flow: Flow) -> Flow:
        """The opposite direction."""
        return self.down if flow is self.up else self.up

    def count(self, flow: Flow, size: int) -> None:
        """A chunk of that size has come."""
        if flow is self.up:
            self.route.exchanges += not self.spoken
            self.route.bytes_up += size
        else:
            self.route.bytes_down += size
        self.spoken = flow is self.up

    def watch(self, epoll: select.epoll) -> None:
        """Asks to be told of what either socket is waited for, and of nothing else.

        A socket that is waited for nothing is not registered at all: the kernel would report its hang-up over and over.
        """
        for end, out, into in ((self.client, self.up, self.down), (self.store, self.down, self.up)):
            wanted = READ * out.reads | WRITE * into.blocked
            watched = self._watched.get(end, 0)
            if wanted == watched:
                continue
            if not watched:
                epoll.register(end, wanted)
            elif wanted:
                epoll.modify(end, wanted)
            else:
                epoll.unregister(end)
            self._watched[end] = wanted

    def close(self, *, broken: bool) -> None:
        """Lets go of both sockets; `broken`: both ends are told by a reset."""
        if self.closed:
            return
        self.closed = True
        self.route.open -= 1
        for end in (self.client, self.store):
            with contextlib.suppress(OSError):
                if broken:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()
        self._watched.clear()
