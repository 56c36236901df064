"""One instance of a function: a process that runs while it has a request and stands still otherwise."""

import signal
import time
from collections.abc import Mapping

import psutil

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.experiments.serverless.runtime_api import Exchange, RuntimeApi
from authbench.stack import processes
from authbench.stack.replicas import Application
from authbench.stack.service import Service

MODULE = "apps.services.lambda_function"
START_WITHIN_S = 60.0  # many may start at once on one core
FREEZE_WITHIN_S = 5.0
PAUSE_S = 0.0005
NS_PER_MS = 1e6


class Instance:
    """Starts with its making; it is ready when it asks for an event, and then it is frozen."""

    def __init__(self, stack: EmbeddedStack, application: Application, name: str, told: Mapping[str, str]) -> None:
        """`told`: over what a replica's environment says. Raises StackError where the process cannot be started."""
        self.name = name
        self.served = 0
        self._stack = stack
        self._api = RuntimeApi(name, stack.take_port())
        own = {
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": application.strategy,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",  # the size that AWS gives one core's time; nothing is limited
            "AWS_LAMBDA_LOG_GROUP_NAME": "authbench",
            "AWS_LAMBDA_LOG_STREAM_NAME": name,
        }
        service = Service(
            name=name,
            tier="app",
            command=(application.python, "-m", MODULE),
            folder=application.root,
            log=stack.log(name),
            environment={**application.variables(name), **own, **told},
            stop_signal=signal.SIGKILL,
            cores=stack.cores,  # from the beginning, without a question: all of the start is measured
        )
        try:
            stack.start(service)
            self._running = stack.running(name)
        except BaseException:
            self._api.close()
            raise

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._running.pid

    @property
    def most_at_once(self) -> int:
        """Most requests that were with it at the same time."""
        return self._api.most_at_once

    @property
    def is_frozen(self) -> bool:
        """Whether the kernel says so of its process."""
        process = processes.read(self.pid)
        return process is not None and process.state == "T"

    @property
    def resident_bytes(self) -> int:
        """All that is in memory of it: a virtual machine of its own would share none of it."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def cpu_ns(self) -> int:
        """CPU time so far, in nanoseconds."""
        return processes.cpu_ns([self.pid])

    def answer(self, event: bytes) -> Exchange:
        """Thaws it, has one request answered, and freezes it again when it asks for the next.

        Raises StackError where it ends, fails, or takes too long.
        """
        self._running.send(signal.SIGCONT)
        if not self.served:
            self._api.await_poll(self._alive, START_WITHIN_S)
        exchange = self._api.invoke(event, self._alive)
        self.served += 1
        self._api.await_poll(self._alive)
        self._freeze()
        return exchange

    def forget(self) -> None:
        """Lets go of what it was reached by, once its process has been ended."""
        self._api.close()

    def _freeze(self) -> None:
        self._running.send(signal.SIGSTOP)
        deadline = time.monotonic() + FREEZE_WITHIN_S
        while not self.is_frozen:
            self._alive()
            if time.monotonic() > deadline:
                raise StackError(f"{self.name}: does not stand still", self._running.log_tail())
            time.sleep(PAUSE_S)

    def _alive(self) -> None:
        if self._running.exit_code() is not None:
            raise self._running.died("while it was needed")
