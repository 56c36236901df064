"""One part of the stack: what is started, how it is asked whether it is ready, and the handle of what runs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from authbench.errors import StackError
from authbench.records import Tier
from authbench.stack import processes, shim
from authbench.stack.accounts import Account
from authbench.stack.budget import Group
from authbench.stack.diagnosis import cause, ending, log_tail, writing
from authbench.stack.watchdog import Watchdog

STANDS_WITHIN_S = 5.0  # a process that waits for the disk stands only afterwards
PAUSE_S = 0.002  # between two looks
Question = Callable[[], bool]  # answers within a second or two; False for "not yet", never an error


@dataclass(frozen=True, slots=True)
class Service:
    """A command that stays up, or (without a question) one that ends by itself."""

    name: str
    tier: Tier
    command: tuple[str, ...]
    folder: Path  # where it runs
    log: Path  # stderr, and stdout unless `output` is given
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds secrets
    ready: Question | None = None
    ready_within_s: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM  # the quickest way that leaves nothing behind
    user: Account | None = None  # None: the bench's own
    # Where it runs once it is ready; until then on the bench's too. Empty: anywhere.
    cores: tuple[int, ...] = ()
    cpus: float | None = None  # budget in cores, once it is ready
    output: Path | None = None
    # Makes what the command finds on its standard input, at each start anew: a secret that is used up by reading it.
    handed: Callable[[], bytes] | None = field(default=None, repr=False)


class Running:
    """A started service."""

    def __init__(self, service: Service, process: subprocess.Popen[bytes], group: Group) -> None:
        self.service = service
        self.group = group
        self._process = process

    @property
    def pid(self) -> int:
        """Process id of the command itself."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait()

    def pids(self) -> set[int]:
        """Everything that runs of it: the cgroup's members where there is a cgroup, else the tree below it."""
        return self.group.pids() or processes.tree([self.pid], processes.table())

    def cpu_ns(self) -> int:
        """CPU time so far, short-lived children included."""
        counted = self.group.cpu_ns()
        return processes.cpu_ns(self.pids()) if counted is None else counted

    def send(self, number: signal.Signals) -> None:
        """A signal to the command itself; none where it has ended."""
        if self.exit_code() is None:
            os.kill(self.pid, number)

    def pause(self) -> None:
        """Has everything that runs of it stand still (SIGSTOP); returns when it does, or raises StackError."""
        self._send_until(signal.SIGSTOP, lambda state: state in "TtZX")

    def resume(self) -> None:
        """Has it go on (SIGCONT); returns when nothing of it stands, or raises StackError."""
        self._send_until(signal.SIGCONT, lambda state: state != "T")

    def _send_until(self, number: signal.Signals, obeyed: Callable[[str], bool]) -> None:
        """Repeated, since a process may have been started in between."""
        deadline = time.monotonic() + STANDS_WITHIN_S
        while True:
            states = {each.pid: each.state for each in map(processes.read, self.pids()) if each is not None}
            if not (deaf := [pid for pid, state in states.items() if not obeyed(state)]):
                return
            if time.monotonic() > deadline:
                raise StackError(f"{self.service.name}: {number.name} has no effect on process {deaf[0]}")
            for pid in deaf:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(PAUSE_S)

    def pin(self) -> None:
        """Keeps every thread of it on its cores from now on; threads to come inherit it."""
        cores = set(self.service.cores)
        moved = -1
        while cores and moved != 0:  # until nothing is found that was started in between
            moved = sum(_move(thread, cores) for pid in self.pids() for thread in processes.threads(pid))

    def log_tail(self) -> str:
        """The last lines it wrote."""
        return log_tail(self.service.log)

    def died(self, when: str) -> StackError:
        """The error that tells how it ended."""
        tail = self.log_tail()
        said = cause(tail, self.service.log.parent)
        return StackError(f"{self.service.name}: {ending(self.exit_code() or 0)} {when}: {said}", tail)


def spawn(service: Service, watchdog: Watchdog, group: Group, *, confined: bool = False) -> Running:
    """Starts it in its cgroup, known to the watchdog before its first instruction.

    `confined`: on its own cores from then on, not on the bench's too until it is ready. Raises StackError where files
    or processes cannot be made.
    """
    handed = service.handed() if service.handed else b""  # asked first: where there is none, nothing starts
    beside: set[int] = set() if confined else os.sched_getaffinity(0)
    command = (
        *(sys.executable, "-I", "-S", str(Path(shim.__file__))),
        "\n".join(map(str, group.entrances)),
        ",".join(map(str, sorted({*service.cores, *beside}))) if service.cores else "",
        f"{service.user.uid}:{service.user.gid}" if service.user else "",
        *service.command,
    )
    with writing(service.log.parent), contextlib.ExitStack() as files:
        log = files.enter_context(service.log.open("ab"))
        output = files.enter_context(service.output.open("wb")) if service.output else log
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=log,
            cwd=service.folder,
            env=dict(service.environment),
            start_new_session=True,  # a ^C at the terminal is the bench's to handle
        )
    assert process.stdin is not None
    watchdog.guard(process.pid, service.stop_signal)
    with contextlib.suppress(BrokenPipeError), process.stdin as gate:  # where it broke, the exit code tells
        gate.write(shim.HANDED + handed if handed else shim.GO)  # a pipe holds more than is handed: no wait
    return Running(service, process, group)


def _move(thread: int, cores: set[int]) -> bool:
    """Whether the thread had to be moved."""
    try:
        if os.sched_getaffinity(thread) == cores:
            return False
        os.sched_setaffinity(thread, cores)
    except ProcessLookupError:
        return False
    return True
