"""The open model: requests start when the schedule says so, whatever the answers do."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic_ns

from loadtests.connection import Connection
from loadtests.firing import Firing
from loadtests.outcome import NEVER_SENT, loss
from loadtests.pool import Pool
from loadtests.prepared import Request
from loadtests.schedule import Offsets
from loadtests.tally import Tally
from loadtests.timer import new_timer

HEAD_START_NS = 2_000_000  # between the decision to start and the window's zero
# The kernel wakes a process 30 to 90 µs after a timer's time: it is set earlier, and the rest is waited out awake.
EARLY_NS = 60_000


class OpenModel(Firing):
    """Latency runs from the intended start, so that a wait for a free connection counts in full."""

    def __init__(
        self,
        pool: Pool,
        requests: Sequence[Request],
        tally: Tally,
        connections: int,
        timeout_s: float,
        schedule: Iterable[Offsets],
        zero_ns: int | None = None,
        first: int = 0,
    ) -> None:
        """`zero_ns`: the time that the schedule's offsets count from; None: when `run` is called."""
        super().__init__(pool, requests, tally, connections, timeout_s, first)
        self._chunks: Iterator[Offsets] = iter(schedule)
        self._due: Sequence[int] = ()  # absolute intended starts of the chunk at hand
        self._next = 0
        self._zero = zero_ns or 0
        self._over = False  # the schedule has ended
        self._waiting: deque[tuple[Request, int]] = deque()  # due, but all connections are in use
        self._timer = new_timer(self._dispatch)

    def wind_down(self) -> None:
        """No request starts from now on; those that wait for a connection are still sent."""
        self._over = True
        self._arm()

    def stop(self) -> None:
        """No request starts from now on."""
        self._over = True
        self._timer.close()
        super().stop()

    def _start(self) -> None:
        if not self._zero:
            self._zero = monotonic_ns() + HEAD_START_NS
        self._load_chunk()
        self._arm()

    def _load_chunk(self) -> None:
        """The next offsets as absolute times; `_over` where there are none."""
        chunk = next(self._chunks, None)
        self._over = chunk is None
        self._due = () if chunk is None else (chunk + self._zero).tolist()
        self._next = 0

    def _dispatch(self) -> None:
        due, at, count = self._due, self._next, len(self._due)
        if at < count and due[at] - monotonic_ns() <= EARLY_NS:
            while due[at] > monotonic_ns():  # no answer is read meanwhile, hence for one request a turn only
                pass
        while at < count and due[at] <= (now := monotonic_ns()):
            self._outstanding += 1
            request = next(self._cycle)
            if self._waiting or not self._send(request, due[at], now):
                self._waiting.append((request, due[at]))
            at += 1
        self._next = at
        if at == count and not self._over:
            self._load_chunk()
        self._arm()

    def _arm(self) -> None:
        if not self._over:
            self._timer.arm(self._due[self._next] - EARLY_NS)
        else:
            self._timer.disarm()
            self._finish_if_drained()

    def _send(self, request: Request, start: int, now: int) -> bool:
        """Sends a due request, or writes down why it could not be; False where all connections are in use."""
        while True:  # a kept connection may turn out dead: the request goes out on another
            opened = self.pool.opened
            try:
                connection = self.pool.take(self._cap)
            except OSError as error:
                self._unanswered(request, start, 0, loss(error))
                return True
            if connection is None:
                return False
            problem = connection.begin(self, request, start, now)
            if not problem:
                return True
            if self.pool.opened > opened:
                self._unanswered(request, start, 0, problem)
                return True

    def _freed(self, connection: Connection | None, now: int) -> None:
        if connection is not None:
            connection.park(now)
        while self._waiting and self._send(*self._waiting[0], monotonic_ns()):
            self._waiting.popleft()
        self._finish_if_drained()

    def _look_for_overdue(self) -> None:
        longest_ago = monotonic_ns() - self._timeout_ns
        while self._waiting and self._waiting[0][1] < longest_ago:
            request, start = self._waiting.popleft()
            self._unanswered(request, start, 0, NEVER_SENT)
        super()._look_for_overdue()
        self._finish_if_drained()

    def _finish_if_drained(self) -> None:
        if self._over and not self._outstanding:
            self._finished.set()
