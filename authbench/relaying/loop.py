"""The relay's event loop: one thread that reads what comes, notes when it is due, and delivers it then."""

import heapq
import json
import select
import socket
from itertools import count
from time import monotonic_ns

from authbench.relaying.connection import READ, WRITE, Connection
from authbench.relaying.control import Control
from authbench.relaying.entrance import LOOPBACK, Entrance, listening
from authbench.relaying.flow import End, Flow
from authbench.relaying.poisoning import Poisoning
from authbench.relaying.tally import Lateness, described

NS = 1_000_000_000
SPIN_NS = 60_000  # before something is due the loop polls instead of sleeping: waking up takes about as long


class Relay:
    """Adds `round_trip_ns` to every exchange with a store, half of it each way. `run` never returns."""

    def __init__(self, round_trip_ns: int, spin_ns: int = SPIN_NS) -> None:
        self._half_ns = round_trip_ns // 2
        self._round_trip_ns = round_trip_ns
        self._spin_ns = spin_ns
        self._epoll = select.epoll()
        self._entrances: dict[str, Entrance] = {}  # by name of the route
        self._listeners: dict[int, Entrance] = {}  # by descriptor; none where a toxic has closed it
        self._poisoning = Poisoning(self._entrances, self)
        self._status: socket.socket | None = None
        self._control: Control | None = None
        self._flows: dict[int, tuple[Connection, Flow, Flow]] = {}  # descriptor -> its connection, out of it, into it
        # A heap; one entry a chunk, or how the whole connection ends then.
        self._due: list[tuple[int, int, Connection, Flow | End]] = []
        self._sequence = count()
        self._late = Lateness()

    def listen(self, name: str, port: int, store: int) -> None:
        """From now on connections to `port` lead to the store that listens on the other. Raises OSError."""
        self._entrances[name] = Entrance(name, port, store)
        self.open(self._entrances[name])

    def answer(self, port: int) -> None:
        """From now on a connection to `port` gets what has passed so far, as JSON, and is closed. Raises OSError."""
        self._status = listening(port)
        self._epoll.register(self._status, select.EPOLLIN)

    def obey(self, port: int, token: str) -> None:
        """From now on whoever knows the token sets and clears toxics at `port` (`Control`). Raises OSError."""
        self._control = Control(port, token, self._poisoning.command, self._epoll)

    def run(self) -> None:
        """Relays for as long as the process lives."""
        while True:
            self.turn()

    def close(self) -> None:
        """Lets go of everything that is open."""
        for connection, _, _ in list(self._flows.values()):
            connection.close(broken=True)
        for entrance in self._entrances.values():
            entrance.close()
        if self._control is not None:
            self._control.close()
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
            elif descriptor in self._listeners:
                self._accept(self._listeners[descriptor])
            elif self._status is not None and descriptor == self._status.fileno():
                self._tell(self._status)
            elif self._control is not None:
                self._control.stir(descriptor)
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

    def _accept(self, entrance: Entrance) -> None:
        if entrance.listener is None:  # closed while its events were being worked off
            return
        try:
            client, _ = entrance.listener.accept()
        except OSError:  # the client has gone already
            return
        now_ns = monotonic_ns()
        onward = socket.socket()
        for end in (client, onward):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        onward.connect_ex((LOOPBACK, entrance.store))  # in progress: sends wait, and reads tell where it fails
        made = Connection(client, onward, entrance, self._half_ns, now_ns)
        self._flows[client.fileno()] = (made, made.up, made.down)
        self._flows[onward.fileno()] = (made, made.down, made.up)
        made.watch(self._epoll)
        if entrance.toxic is not None:
            self._poisoning.opened(made, now_ns)

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
        if (toxic := connection.entrance.toxic) is not None and toxic.upstream == (flow is connection.up):
            self._poisoning.take(toxic, connection, flow, came, now_ns)
        else:
            self.pass_on(connection, flow, came, now_ns)

    def pass_on(self, connection: Connection, flow: Flow, what: bytes | End, now_ns: int, later_ns: int = 0) -> None:
        """Delivers it after the distance and `later_ns`, in its turn."""
        first = flow.next_due_ns is None
        due_ns = flow.hold(what, now_ns + self._half_ns + later_ns)
        if first and due_ns <= now_ns:
            self._deliver(connection, flow)
        else:
            heapq.heappush(self._due, (due_ns, next(self._sequence), connection, flow))

    def end_at(self, connection: Connection, due_ns: int, *, broken: bool) -> None:
        """Has the connection end then, whatever it still holds."""
        how = End.BROKEN if broken else End.CLOSED
        heapq.heappush(self._due, (due_ns, next(self._sequence), connection, how))

    def hasten(self, connection: Connection, now_ns: int) -> None:
        """Delivers now whatever it holds."""
        for flow in (connection.up, connection.down):
            if flow.next_due_ns is not None:
                flow.hasten(now_ns)
                heapq.heappush(self._due, (now_ns, next(self._sequence), connection, flow))

    def connections(self, entrance: Entrance) -> list[Connection]:
        """Those of one route that are open."""
        ends = (connection for connection, out, _ in self._flows.values() if out is connection.up)
        return [connection for connection in ends if connection.entrance is entrance]

    def open(self, entrance: Entrance) -> None:
        """Listens there. Raises OSError."""
        listener = entrance.listener or entrance.reopen()
        self._listeners[listener.fileno()] = entrance
        self._epoll.register(listener, select.EPOLLIN)

    def shut(self, entrance: Entrance) -> None:
        """Listens there no longer."""
        if entrance.listener is not None:
            del self._listeners[entrance.listener.fileno()]
            entrance.close()

    def _deliver_due(self) -> None:
        due = self._due
        while due and due[0][0] <= monotonic_ns():
            _, _, connection, flow = heapq.heappop(due)
            if connection.closed:
                continue
            if isinstance(flow, End):
                self.drop(connection, broken=flow is End.BROKEN)
            elif not flow.blocked:
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
            self.drop(connection, broken=end is not End.CLOSED)
        elif end is End.GONE:  # its source is told as late as it would be, after what is on its way to it
            told_ns = other.hold(End.BROKEN, now_ns + self._half_ns)
            heapq.heappush(self._due, (told_ns, next(self._sequence), connection, other))

    def drop(self, connection: Connection, *, broken: bool) -> None:
        """Ends it now; `broken`: by a reset."""
        for end in (connection.client, connection.store):
            self._flows.pop(end.fileno(), None)
        connection.close(broken=broken)

    def _tell(self, listener: socket.socket) -> None:
        try:
            asking, _ = listener.accept()
        except OSError:
            return
        with asking:
            entrances = self._entrances.values()
            text = json.dumps(
                {
                    **described(self._round_trip_ns / 1000, [each.route for each in entrances], self._late),
                    "toxics": {each.route.name: each.toxic.kind for each in entrances if each.toxic is not None},
                }
            )
            try:
                asking.settimeout(1)
                asking.sendall(text.encode())
            except OSError:
                return
