"""The closed model: c connections, each sends its next request as soon as it has its answer."""

from collections.abc import Sequence
from time import monotonic_ns
from typing import Any

from gevent import get_hub

from loadtests.connection import Connection
from loadtests.firing import NS, Firing
from loadtests.outcome import loss
from loadtests.pool import Pool
from loadtests.prepared import Request
from loadtests.tally import Tally

# A server that is gone must not be asked a hundred thousand times a second.
PAUSE_AFTER_LOSS_S = 0.005
FOR_EVER = 1 << 62


class ClosedModel(Firing):
    """For capacity and cost only: its latency restates its throughput."""

    def __init__(
        self,
        pool: Pool,
        requests: Sequence[Request],
        tally: Tally,
        connections: int,
        timeout_s: float,
        duration_s: float | None = None,
        count: int | None = None,
        first: int = 0,
    ) -> None:
        super().__init__(pool, requests, tally, connections, timeout_s, first)
        self._duration_ns = FOR_EVER if duration_s is None else round(duration_s * NS)
        self._left = FOR_EVER if count is None else count
        self._until = 0
        self._pauses: set[Any] = set()

    def wind_down(self) -> None:
        """No request starts from now on."""
        self._left = 0

    def stop(self) -> None:
        """No request starts from now on."""
        self._left = 0
        for pause in self._pauses:
            pause.stop()
            pause.close()
        self._pauses.clear()
        super().stop()

    def _start(self) -> None:
        now = monotonic_ns()
        self._until = now + self._duration_ns
        for _ in range(self._cap):
            self._next(None, monotonic_ns())

    def _freed(self, connection: Connection | None, now: int) -> None:
        if connection is None:
            self._pause()
        else:
            self._next(connection, now)

    def _next(self, connection: Connection | None, now: int) -> None:
        """One connection's next request, on a new connection where it has lost its own."""
        if self._left <= 0 or now >= self._until:
            if connection is not None:
                connection.park(now)
            if not self._outstanding:
                self._finished.set()
            return
        self._left -= 1
        self._outstanding += 1
        request = next(self._cycle)
        problem = ""
        if connection is not None and not connection.is_reusable():
            connection.close()
            connection = None
        while True:  # a kept connection may turn out dead: the request goes out on another
            opened = self.pool.opened
            try:
                connection = connection or self.pool.take(self._cap)
            except OSError as error:
                problem = loss(error)
                break
            assert connection is not None
            problem = connection.begin(self, request, now, now)
            if not problem:
                return
            if self.pool.opened > opened:
                break
            connection = None
        self._unanswered(request, now, 0, problem)
        self._pause()

    def _pause(self) -> None:
        pause = get_hub().loop.timer(PAUSE_AFTER_LOSS_S)
        self._pauses.add(pause)
        pause.start(self._after_pause, pause)

    def _after_pause(self, pause: Any) -> None:
        self._pauses.discard(pause)
        pause.close()
        self._next(None, monotonic_ns())
