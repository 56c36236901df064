"""The relay's event loop: one thread that reads what comes, notes when it is due, and delivers it then."""

import heapq
import json
import select
import socket
from itertools import count
from time import monotonic_ns

from authbench.relaying.connection import READ, WRITE, Connection
from authbench.relaying.flow import End, Flow
from authbench.relaying.tally import Lateness, Route, described

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
NS = 1_000_000_000
SPIN_NS = 60_000  # before something is due the loop polls instead of sleeping: waking up takes about as long


class Relay:
    """Adds `round_trip_ns` to every exchange with a store, half of it each way. `run` never returns."""

    def __init__(self, round_trip_ns: int, spin_ns: int = SPIN_NS) -> None:
        self._half_ns = round_trip_ns // 2
        self._round_trip_ns = round_trip_ns
        self._spin_ns = spin_ns
        self._epoll = select.epoll()
        self._routes: dict[int, tuple[socket.socket, Route, int]] = {}  # listener's descriptor -> it, route, store
        self._status: socket.socket | None = None
        self._flows: dict[int, tuple[Connection, Flow, Flow]] = {}  # descriptor -> its connection, out of it, into it
        self._due: list[tuple[int, int, Connection, Flow]] = []  # a heap; one entry a chunk
        self._sequence = count()
        self._late = Lateness()

    def listen(self, name: str, port: int, store: int) -> None:
        """From now on connections to `port` lead to the store that listens on the other. Raises OSError."""
        listener = _listener(port)
        self._routes[listener.fileno()] = (listener, Route(name), store)
        self._epoll.register(listener, select.EPOLLIN)

    def answer(self, port: int) -> None:
        """From now on a connection to `port` gets what has passed so far, as JSON, and is closed. Raises OSError."""
        self._status = _listener(port)
        self._epoll.register(self._status, select.EPOLLIN)

    def run(self) -> None:
        """Relays for as long as the process lives."""
        while True:
            self.turn()

    def close(self) -> None:
        """Lets go of everything that is open."""
        for connection, _, _ in list(self._flows.values()):
            connection.close(broken=True)
        for listener, _, _ in self._routes.values():
            listener.close()
        if self._status is not None:
            self._status.close()
        self._epoll.close()

    def turn(self) -> None:
        """Waits for the next thing to come or to be due, and does all that there is to do."""
        events = self._epoll.poll(0)
        if not events and self._may_sleep():
            events = self._epoll.poll(0)
        for descriptor, event in events:
            if descriptor in self._flows:
                self._stir(*self._flows[descriptor], event)
            elif descriptor in self._routes:
                self._accept(*self._routes[descriptor])
            elif self._status is not None and descriptor == self._status.fileno():
                self._tell(self._status)
        self._deliver_due()

    def _may_sleep(self) -> bool:
        """Sleeps until something comes or is nearly due; whether it did.

        `select` on epoll's own descriptor waits to the microsecond, where epoll's own wait counts milliseconds.
        """
        if not self._due:
            select.select((self._epoll,), (), ())
            return True
        wait_ns = self._due[0][0] - self._spin_ns - monotonic_ns()
        if wait_ns <= 0:
            return False
        select.select((self._epoll,), (), (), wait_ns / NS)
        return True

    def _accept(self, listener: socket.socket, route: Route, store: int) -> None:
        try:
            client, _ = listener.accept()
        except OSError:  # the client has gone already
            return
        now_ns = monotonic_ns()
        onward = socket.socket()
        for end in (client, onward):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        onward.connect_ex((LOOPBACK, store))  # in progress: sends wait, and reads tell where it fails
        made = Connection(client, onward, route, self._half_ns, now_ns)
        self._flows[client.fileno()] = (made, made.up, made.down)
        self._flows[onward.fileno()] = (made, made.down, made.up)
        made.watch(self._epoll)

    def _stir(self, connection: Connection, out: Flow, into: Flow, event: int) -> None:
        """A socket has something to say, or takes more again, or is gone."""
        if into.blocked and event & ~READ:
            self._deliver(connection, into)
        if event & ~WRITE and out.reads and not connection.closed:
            self._read(connection, out)
        if not connection.closed:
            connection.watch(self._epoll)

    def _read(self, connection: Connection, flow: Flow) -> None:
        came = flow.read()
        if came is None:
            return
        now_ns = monotonic_ns()
        if not isinstance(came, End):
            connection.count(flow, len(came))
        first = flow.next_due_ns is None
        due_ns = flow.hold(came, now_ns + self._half_ns)
        if first and due_ns <= now_ns:
            self._deliver(connection, flow)
        else:
            heapq.heappush(self._due, (due_ns, next(self._sequence), connection, flow))

    def _deliver_due(self) -> None:
        due = self._due
        while due and due[0][0] <= monotonic_ns():
            _, _, connection, flow = heapq.heappop(due)
            if not connection.closed and not flow.blocked:
                self._deliver(connection, flow)
                if not connection.closed:
                    connection.watch(self._epoll)

    def _deliver(self, connection: Connection, flow: Flow) -> None:
        now_ns = monotonic_ns()
        due_ns, end = flow.deliver(now_ns)
        if due_ns is not None:
            self._late.add(now_ns - due_ns)
        other = connection.other(flow)
        if end is End.BROKEN or (end is not None and other.done):
            self._drop(connection, broken=end is not End.CLOSED)
        elif end is End.GONE:  # its source is told as late as it would be, after what is on its way to it
            told_ns = other.hold(End.BROKEN, now_ns + self._half_ns)
            heapq.heappush(self._due, (told_ns, next(self._sequence), connection, other))

    def _drop(self, connection: Connection, *, broken: bool) -> None:
        for end in (connection.client, connection.store):
            self._flows.pop(end.fileno(), None)
        connection.close(broken=broken)

    def _tell(self, listener: socket.socket) -> None:
        try:
            asking, _ = listener.accept()
        except OSError:
            return
        with asking:
            routes = [route for _, route, _ in self._routes.values()]
            text = json.dumps(described(self._round_trip_ns / 1000, routes, self._late))
            try:
                asking.settimeout(1)
                asking.sendall(text.encode())
            except OSError:
                return


def _listener(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((LOOPBACK, port))
    made.listen(BACKLOG)
    made.setblocking(False)
    return made
