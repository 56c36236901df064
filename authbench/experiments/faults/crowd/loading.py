"""The load of several crowds in a thread of its own, so that faults can be injected beside it."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from authbench.errors import StackError
from authbench.experiments.faults.crowd.crowd import Crowd

LONGEST_S = 600.0  # whatever happens to whoever should end it
JOINS_WITHIN_S = 30.0
PRIORITY = -10  # of this thread alone; nobody inherits it, since it starts no process
SLICE_S = 0.1  # ^C is heard in between


class Loading:
    """Fires from the moment it is entered until `end_at` has come and the last request has ended."""

    def __init__(self, crowds: Mapping[str, Crowd], due: Mapping[str, Iterator[tuple[float, str]]]) -> None:
        self._crowds = crowds
        self._due = due
        self._until_s = LONGEST_S
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="crowds", daemon=True)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it at once, where it still runs."""
        self._until_s = 0.0
        self._thread.join(JOINS_WITHIN_S)

    @property
    def now_s(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def wait_until(self, at_s: float) -> None:
        """Returns then. Raises StackError where the load has ended of itself."""
        while (left_s := at_s - self.now_s) > 0:
            if self._failure is not None:
                raise StackError(f"the load has failed: {self._failure!r}") from self._failure
            time.sleep(min(left_s, SLICE_S))

    def end_at(self, at_s: float) -> None:
        """Nothing is due later; returns when the last request has ended. Raises StackError where it does not."""
        self._until_s = at_s
        self.wait_until(at_s)
        deadline = time.monotonic() + JOINS_WITHIN_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(SLICE_S)
        if self._failure is not None or self._thread.is_alive():
            raise StackError(f"the load has not ended: {self._failure!r}")

    def _run(self) -> None:
        # Replicas that start again take every core; what is due must be sent in time all the same, where allowed.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PRIORITY)
        try:
            self._loop.run_until_complete(self._fire())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._loop.close()

    async def _fire(self) -> None:
        each = (crowd.fire(self._began, self._due[name], lambda: self._until_s) for name, crowd in self._crowds.items())
        await asyncio.gather(*each)


def side_by_side(*asked: Coroutine[Any, Any, Any]) -> list[Any]:
    """What each answers, in the order given."""

    async def together() -> list[Any]:
        return await asyncio.gather(*asked)

    return asyncio.run(together())
