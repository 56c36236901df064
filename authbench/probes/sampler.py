"""Takes a reading every so often in a thread of its own, and knows what that cost."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Reading = TypeVar("Reading")
PATIENCE_S = 30.0  # with the last reading, which may have to wait for a store that is slow


@dataclass(frozen=True, slots=True)
class Sampled(Generic[Reading]):
    """What was read, with the time since the start in seconds, and the thread's own CPU time."""

    readings: tuple[tuple[float, Reading], ...]
    cpu_ns: int


class Sampler(Generic[Reading]):
    """Reads at once, then every `interval_s` until it is stopped, and once more then."""

    def __init__(self, read: Callable[[], Reading], interval_s: float) -> None:
        self._read = read
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._readings: list[tuple[float, Reading]] = []
        self._cpu_ns = 0
        self._error: Exception | None = None
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="authbench-sampler", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = PATIENCE_S) -> Sampled[Reading]:
        """Everything read. Raises what a reading raised, TimeoutError where one does not come to its end."""
        self._stop.set()
        self._thread.join(patience_s)
        if self._thread.is_alive():
            raise TimeoutError(f"no answer within {patience_s:g} s")
        if self._error is not None:
            raise self._error
        return Sampled(tuple(self._readings), self._cpu_ns)

    def _work(self) -> None:
        try:
            stopped = False
            while True:
                self._readings.append((time.monotonic() - self._start, self._read()))
                if stopped:
                    break
                stopped = self._stop.wait(self._interval_s)
        except Exception as error:  # handed to whoever stops it
            self._error = error
        self._cpu_ns = time.thread_time_ns()
