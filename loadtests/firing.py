"""One window of load being carried out: what the open and the closed model share.

Everything runs in callbacks of the hub; `run` is the one greenlet that waits for the end.
"""

import gc
from collections.abc import Iterator, Sequence
from time import monotonic_ns, process_time_ns
from typing import Any

from gevent import get_hub
from gevent.event import Event

from loadtests.connection import Connection
from loadtests.outcome import FAILED, MALFORMED, OK, TIMEOUT, UNKNOWN, judge, kind
from loadtests.pool import Pool
from loadtests.prepared import Request
from loadtests.tally import Spent, Tally
from loadtests.turns import in_turn

NS = 1_000_000_000
LOOKS_A_TIMEOUT = 50  # how finely overdue requests are looked for
FINEST_LOOK_S = 0.01


class Firing:
    """A window of load; a subclass says when requests start. One use only."""

    def __init__(
        self,
        pool: Pool,
        requests: Sequence[Request],
        tally: Tally,
        connections: int,
        timeout_s: float,
        first: int = 0,
    ) -> None:
        """`first`: the place in `requests` that the window starts at."""
        self.pool = pool
        self.requests = requests
        self.tally = tally
        self._cycle: Iterator[Request] = in_turn(requests, first)
        self._cap = connections
        self._timeout_s = timeout_s
        self._timeout_ns = round(timeout_s * NS)
        self._outstanding = 0  # requests due or in flight that have not ended
        self._finished = Event()
        self._overdue: Any = None

    def run(self) -> Spent:
        """Carries it out to its end: nothing is in flight before and after. Waits in the calling greenlet."""
        self.pool.shrink(self._cap)
        opened = self.pool.opened
        bytes_in, bytes_out = self.pool.bytes_moved()
        look_s = max(self._timeout_s / LOOKS_A_TIMEOUT, FINEST_LOOK_S)
        self._overdue = get_hub().loop.timer(look_s, look_s)
        self._overdue.start(self._look_for_overdue)
        collecting = gc.isenabled()
        gc.disable()  # a collection in the window would be charged to the answers that wait for it
        cpu = process_time_ns()
        try:
            self._start()
            self._finished.wait()
            cpu = process_time_ns() - cpu
        finally:
            if collecting:
                gc.enable()
            self.stop()
        after_in, after_out = self.pool.bytes_moved()
        return Spent(cpu, after_in - bytes_in, after_out - bytes_out, self.pool.opened - opened)

    def stop(self) -> None:
        """No request starts from now on; those in flight are dropped with their connections."""
        if self._overdue is not None:
            self._overdue.stop()
            self._overdue.close()
            self._overdue = None
        for connection in list(self.pool.connections):
            if connection.owner is self:
                connection.close()

    def wind_down(self) -> None:
        """No request starts from now on; `run` returns when those in flight have ended."""
        raise NotImplementedError

    def answered(self, connection: Connection, end: int) -> None:
        """Judges the answer and writes it down; the connection is then the subclass's to use again."""
        request, reader = connection.request, connection.reader
        assert request is not None
        outcome = judge(request, reader.status, reader.body)
        self.tally.add(connection.start, connection.sent, end, request.number, outcome)
        if request.rolls:
            request.ended(reader.next_token())
        self._outstanding -= 1
        if outcome == OK:
            tally, replica = self.tally, reader.replica()
            tally.replicas[replica] = tally.replicas.get(replica, 0) + 1
            tally.served_ns[replica] = tally.served_ns.get(replica, 0) + end - connection.sent
        else:
            self.tally.add_kind(request.number, kind(request, reader.status, reader.body))
        self._freed(connection, end)

    def lost(self, connection: Connection, kind: str) -> None:
        """Writes down a request without an answer."""
        request = connection.request
        assert request is not None
        start, sent = connection.start, connection.sent if connection.was_sent() else 0
        connection.close()
        self._unanswered(request, start, sent, kind)
        self._freed(None, monotonic_ns())

    def _unanswered(self, request: Request, start: int, sent: int, kind: str) -> None:
        self.tally.add(start, sent, monotonic_ns(), request.number, FAILED if kind == MALFORMED else UNKNOWN)
        self.tally.add_kind(request.number, kind)
        if request.rolls:
            request.ended(b"")
        self._outstanding -= 1

    def _look_for_overdue(self) -> None:
        longest_ago = monotonic_ns() - self._timeout_ns
        for connection in list(self.pool.connections):
            if connection.owner is self and connection.start < longest_ago:
                self.lost(connection, TIMEOUT)

    def _start(self) -> None:
        raise NotImplementedError

    def _freed(self, connection: Connection | None, now: int) -> None:
        """A request has ended; `connection` may carry the next one (None: it is gone)."""
        raise NotImplementedError
