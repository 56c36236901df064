"""The load generator's process, seen from the bench: one JSON line a command, one JSON line an answer.

Locust and gevent live in that process alone (`loadtests/generator.py`).
"""

import contextlib
import json
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import ValidationError

from authbench.errors import StackError
from authbench.histogram import new_histogram
from authbench.records import Frozen, Load, LoadModel
from authbench.stack.replicas import ROOT

START_TIMEOUT_S = 30.0


class Fire(Frozen):
    """One window of load. `duration_s` and `count` bound it, whichever comes first; one at least is given."""

    url: str
    requests: str  # path of the request file
    model: LoadModel
    connections: int  # c of the closed model; cap of the pool in the open one
    rate_rps: float | None = None
    arrivals: str = "poisson"
    duration_s: float | None = None
    count: int | None = None
    timeout_s: float = 10.0
    seed: int = 0
    first: int = 0  # the place in the request file that the window starts at
    elsewhere: bool = False  # the target is not loopback, and has said that it may be loaded


class GeneratorDiedError(StackError):
    """The generator's process has ended, or no longer answers: it has to be started anew."""


class Generator:
    """A running generator. Use as a context manager; the process ends with the bench whatever happens."""

    def __init__(self, log: Path, core: int | None = None) -> None:
        """Starts the process, pinned to `core` where given; its messages go to `log`.

        Raises StackError where it does not come up.
        """
        self._log = log
        self._command = [sys.executable, "-m", "loadtests.generator"]
        if core is not None:
            self._command += ["--core", str(core)]
        self._start()

    def restart(self) -> None:
        """A fresh process in place of this one, dead or not. Raises StackError where it does not come up."""
        self.close()
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as errors:
            # A session of its own: a ^C at the terminal is the bench's to handle. EOF on stdin ends it in any case.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                start_new_session=True,
            )
        self._pending = b""
        try:
            self.timer = str(self._answer(START_TIMEOUT_S)["timer"])
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id, for whoever watches over it."""
        return self._process.pid

    def fire(self, plan: Fire) -> Load:
        """Sends one window of load and waits for its result.

        Raises GeneratorDiedError where the generator dies or does not answer in time, StackError where it refuses.
        """
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps({"fire": plan.model_dump()}).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise self._died() from error
        longest = plan.duration_s or (plan.count or 0) * plan.timeout_s
        answer = self._answer(min(longest, 600.0) + plan.timeout_s + 30.0)
        if "error" in answer:
            raise StackError(f"load generator: {answer['error']}", self._tail())
        try:
            return Load.model_validate(answer["load"])
        except ValidationError as error:
            raise StackError(f"load generator: not a result: {error.errors()[0]}", self._tail()) from error

    def close(self) -> None:
        """Ends the process, at once."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        while b"\n" not in self._pending:
            ready, _, _ = select.select([stdout], [], [], timeout_s)
            if not ready:
                raise GeneratorDiedError(f"load generator: no answer within {timeout_s:.0f} s", self._tail())
            data = stdout.read1(1 << 20)  # type: ignore[attr-defined]
            if not data:
                raise self._died()
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def _died(self) -> GeneratorDiedError:
        with contextlib.suppress(subprocess.TimeoutExpired):  # its pipes close a moment before it can be waited for
            self._process.wait(timeout=2)
        return GeneratorDiedError(f"load generator: ended with exit code {self._process.returncode}", self._tail())

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])


def nothing_sent(plan: Fire, timer: str) -> Load:
    """The record of a window of which nothing is known."""
    nothing = new_histogram().encode().decode()
    arrivals: Literal["constant", "poisson"] = "constant" if plan.arrivals == "constant" else "poisson"
    return Load(
        model=plan.model,
        target_rps=plan.rate_rps,
        connections=plan.connections,
        arrivals="closed" if plan.model == "saturate" else arrivals,
        window_s=0.0,
        sent=0,
        ok=0,
        refused=0,
        failed=0,
        unknown=0,
        offered_rps=0.0,
        achieved_rps=0.0,
        latency_hist=nothing,
        service_hist=nothing,
        lateness_hist=nothing,
        in_flight_mean=0.0,
        half_service_us=(0.0, 0.0),
        bytes_out=0,
        bytes_in=0,
        connections_opened=0,
        by_replica={},
        generator_cpu_s=0.0,
        generator_busy=0.0,
        timer=timer,
    )
