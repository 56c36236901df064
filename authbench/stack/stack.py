"""The running parts together: they start in parallel, are watched, and end together, whatever happens."""

import signal
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from authbench.errors import StackError
from authbench.records import Tier
from authbench.stack.budget import Accounting, Group, accounting
from authbench.stack.diagnosis import writing
from authbench.stack.ports import Ports
from authbench.stack.processes import read
from authbench.stack.service import Running, Service, spawn
from authbench.stack.watchdog import Charge, Watchdog, sweep

STOP_WITHIN_S = 2.0  # then SIGKILL
PAUSE_S = 0.01  # between two questions
PREFIX = "authbench-"


class Stack:
    """Owns a folder, ports, cgroups and services. Use as a context manager; afterwards nothing of it is left.

    `cores` are where services run that name none; empty leaves it to the kernel.
    """

    def __init__(self, cores: tuple[int, ...] = ()) -> None:
        self.cores = cores
        self.ports = Ports()
        self._running: dict[str, Running] = {}
        self._closed = False

    def __enter__(self) -> Self:
        """Makes the folder and starts the watchdog. Raises StackError where the folder cannot be made."""
        self.accounting: Accounting = accounting()
        self._watchdog = Watchdog()
        try:
            with writing(Path(tempfile.gettempdir())):
                self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
                self._watchdog.remove(self.folder)
                self._watchdog.prune(self.ports.folder)
                (self.folder / "logs").mkdir(mode=0o700)
                self.private.mkdir(mode=0o700)
                self.folder.chmod(0o711)  # other accounts pass through to what is theirs
            for parent in self.accounting.parents(self.name):
                self._watchdog.remove_cgroup(parent)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Names its folder and its cgroups; another one for every stack."""
        return self.folder.name

    @property
    def private(self) -> Path:
        """A folder in its folder that only the bench's user can enter."""
        return self.folder / "private"

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """Running service -> the tier its cost is charged to."""
        return {name: running.service.tier for name, running in list(self._running.items())}

    def log(self, name: str) -> Path:
        """Where the service or command of that name writes."""
        return self.folder / "logs" / f"{name}.log"

    def start(self, *services: Service) -> None:
        """Starts all and returns when each has said that it is ready.

        Raises StackError where one ends or is not ready in time; then those started here are stopped again.
        """
        try:
            self.await_ready(self.launch(service) for service in services)
        except BaseException:
            self.stop(*(service.name for service in services))
            raise

    def launch(self, service: Service) -> Running:
        """Starts it and returns at once."""
        if service.name in self._running:
            raise StackError(f"{service.name}: is running already")
        group = self.accounting.group(self.name, service.name, service.cpus)
        if service.cpus is not None:
            group.limit(None)  # a start takes half a second of CPU: of a small budget that would be many seconds
        # Without a question it counts as ready at once, before it has had a chance to be moved.
        running = spawn(service, self._watchdog, group, confined=service.ready is None)
        self._running[service.name] = running
        return running

    def await_ready(self, started: Iterable[Running]) -> None:
        """Asks each until it is ready, then pins all to their cores and sets their budgets.

        Raises StackError where one ends or takes longer than it may.
        """
        everyone = list(started)
        waiting = list(everyone)
        begin = time.monotonic()
        while waiting:
            for running in tuple(waiting):
                service = running.service
                ready = service.ready is None or service.ready()
                if running.exit_code() is not None:  # asked afterwards: an answer may have come from somebody else
                    raise running.died("while starting")
                if ready:
                    waiting.remove(running)
                elif time.monotonic() - begin > service.ready_within_s:
                    raise StackError(
                        f"{service.name}: not ready after {service.ready_within_s:g} s", running.log_tail()
                    )
            if waiting:
                time.sleep(PAUSE_S)
        for running in everyone:
            running.pin()
            if running.service.cpus is not None:
                running.group.limit(running.service.cpus)

    def run(self, *commands: Service, at_once: int = 1) -> None:
        """Runs commands to their ends, some at a time. Raises StackError where an exit code is not 0."""
        waiting = list(commands)
        running: list[Running] = []
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    running.append(spawn(waiting.pop(0), self._watchdog, Group()))
                for each in [each for each in running if each.exit_code() is not None]:
                    running.remove(each)
                    self._watchdog.release(each.pid)
                    if each.exit_code() != 0:
                        raise each.died("before it was done")
                if running:
                    time.sleep(PAUSE_S)
        except BaseException:
            self._end(running)
            raise

    def stop(self, *names: str) -> None:
        """Ends these services and everything that came from them, within seconds; unknown names are passed over."""
        self._end([self._running[name] for name in names if name in self._running])
        for name in names:
            self._running.pop(name, None)

    def take_down(self, name: str, first: signal.Signals, within_s: float = STOP_WITHIN_S) -> Service:
        """Ends one by that signal instead of its own; from now on it is no defect that it does not run.

        SIGKILL goes to everything that runs of it at once; any other to the command, and SIGKILL after `within_s`.
        Returns what `start` takes to have it run again. Raises StackError where it is not running.
        """
        running = self.running(name)
        del self._running[name]
        try:
            self._end([running], first, within_s)
        except BaseException:
            self._running[name] = running  # whoever interrupted finds it as it was left
            raise
        return running.service

    def check(self) -> None:
        """Raises StackError where a service, or the watchdog, has died."""
        for running in list(self._running.values()):  # a fault may take one down meanwhile
            if running.exit_code() is not None:
                raise running.died("while it was needed")
        if not self._watchdog.alive:
            raise StackError(
                "watchdog: has been ended by somebody else; without it a crash would leave processes behind"
            )

    def watch(self, pid: int) -> None:
        """Has the watchdog end a process that somebody else started, should the bench die."""
        self._watchdog.guard(pid)

    def remove_segment_of(self, pid_file: Path) -> None:
        """Has the watchdog remove the shared memory of a PostgreSQL that was killed."""
        self._watchdog.remove_segment_of(pid_file)

    def unmount_at_end(self, folder: Path) -> None:
        """Has the watchdog take away what will be mounted over that folder."""
        self._watchdog.unmount(folder)

    def running(self, name: str) -> Running:
        """The service of that name. Raises StackError where it is not running."""
        if name not in self._running:
            raise StackError(f"{name}: is not running")
        return self._running[name]

    def cpu_ns(self) -> dict[str, int]:
        """CPU time of every service so far, in nanoseconds."""
        counted: dict[str, int] = {}
        for name, running in list(self._running.items()):
            try:
                counted[name] = running.cpu_ns()
            except FileNotFoundError:  # its cgroup went with it while a fault took it down
                if self._running.get(name) is running:
                    raise
        return counted

    def close(self) -> None:
        """Ends and removes everything; may be called twice. An interruption leaves the rest to the watchdog."""
        if self._closed:
            return
        self._closed = True
        running = list(self._running.values())
        try:
            self._end(running)
        finally:
            self._watchdog.finish()
            for each in running:
                each.exit_code()
            self._running.clear()
            self.ports.close()

    def _end(
        self, running: list[Running], first: signal.Signals | None = None, within_s: float = STOP_WITHIN_S
    ) -> None:
        charge = Charge(cgroups=[str(folder) for each in running for folder in each.group.folders])
        for each in running:
            process = read(each.pid)
            if process is not None:
                charge.roots[each.pid] = (process.started, first or each.service.stop_signal)
        sweep(charge, within_s)
        for each in running:
            if each.exit_code() is None:
                each.send(signal.SIGKILL)
            else:
                self._watchdog.release(each.pid)
