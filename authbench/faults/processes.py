"""What is done to the processes of one part: killed, paused, restarted, or given a wrong clock."""

import signal

from authbench.backends.started import Started
from authbench.faults.injection import Unprepared
from authbench.stack import postgres
from authbench.stack.replicas import skewed
from authbench.stack.service import Service

# PostgreSQL's fast shutdown; for all others SIGTERM is the orderly end: requests in flight are answered first.
ORDERLY = {postgres.NAME: signal.SIGINT}
ORDERLY_WITHIN_S = 35.0  # gunicorn gives requests in flight 30 s


class Kill(Unprepared):
    """SIGKILL for every process of it at once; `end` starts it again on its port, as it was told before."""

    def __init__(self, stack: Started, name: str) -> None:
        self._stack = stack
        self._name = name
        self._service: Service | None = None

    def begin(self) -> None:
        """Returns when nothing of it runs."""
        self._service = self._stack.running(self._name).service
        self._stack.take_down(self._name, signal.SIGKILL)

    def end(self) -> None:
        """Returns when it is ready."""
        if self._service is not None:
            self._stack.stop(self._name)  # what an interrupted `begin` may have left
            self._stack.start(self._service)
            self._service = None


class Pause(Unprepared):
    """SIGSTOP for every process of it: connections stay open, the kernel accepts more, and nobody answers."""

    def __init__(self, stack: Started, name: str) -> None:
        self._stack = stack
        self._name = name

    def begin(self) -> None:
        """Returns when all of it stands."""
        self._stack.running(self._name).pause()

    def end(self) -> None:
        """Returns when nothing of it stands any more."""
        if self._name in self._stack.tiers:
            self._stack.running(self._name).resume()


class Restart(Kill):
    """An orderly stop and a start at once; `end` has something to do only where `begin` was interrupted."""

    def begin(self) -> None:
        """Returns when it is ready again."""
        self._service = self._stack.running(self._name).service
        self._again(self._service)
        self._service = None

    def _again(self, service: Service) -> None:
        self._stack.take_down(self._name, ORDERLY.get(self._name, signal.SIGTERM), ORDERLY_WITHIN_S)
        self._stack.start(service)


class Skew(Restart):
    """A replica restarted with a clock that is ahead of the others'; `end` restarts it with the right one."""

    def __init__(self, stack: Started, name: str, ahead_s: float) -> None:
        super().__init__(stack, name)
        self._ahead_s = ahead_s

    def begin(self) -> None:
        """Returns when it is ready with its wrong clock."""
        self._service = self._stack.running(self._name).service
        self._again(skewed(self._service, self._ahead_s))

    def end(self) -> None:
        """Returns when it is ready with the right one."""
        if self._service is not None and self._name in self._stack.tiers:
            self._again(self._service)
            self._service = None
        else:
            super().end()
