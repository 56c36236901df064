"""What a stack of started parts tells of itself, whoever started them."""

import signal
from collections.abc import Mapping
from pathlib import Path

from authbench.backends.parts import Parts
from authbench.records import CpuSource, Tier
from authbench.stack.nginx import Nginx
from authbench.stack.postgres import Postgres
from authbench.stack.service import Running, Service
from authbench.stack.stack import STOP_WITHIN_S, Stack
from authbench.stack.valkey import Valkey


class Started:
    """Parts that are up, and the processes beside them. Every method raises StackError where a part has failed."""

    _stack: Stack
    parts: Parts

    @property
    def cache_url(self) -> str:
        """Valkey; each strategy has a numbered database of its own there, in the order given."""
        return self.parts.valkey.url()

    @property
    def postgres(self) -> Postgres:
        """The database server."""
        return self.parts.postgres

    @property
    def valkey(self) -> Valkey:
        """The cache server."""
        return self.parts.valkey

    @property
    def nginx(self) -> Nginx:
        """The load balancer."""
        return self.parts.nginx

    @property
    def folder(self) -> Path:
        """For the bench's own files, credentials among them: nobody else can enter it, and it goes with the stack."""
        return self._stack.private

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """Running service -> tier."""
        return self._stack.tiers

    @property
    def budgets(self) -> tuple[bool, str]:
        """Whether replicas can be given a CPU budget here, and why not."""
        return self._stack.accounting.can_limit, self._stack.accounting.why

    @property
    def cpu_source(self) -> CpuSource:
        """How CPU is counted here."""
        return self._stack.accounting.source

    @property
    def versions(self) -> Mapping[str, str]:
        """Part -> version."""
        return self.parts.versions

    @property
    def softened(self) -> tuple[str, ...]:
        """What production would run and this stack does not, a sentence each."""
        return self.parts.softened

    def running(self, service: str) -> Running:
        """The running service of that name: `postgres`, `valkey`, `nginx`, or a replica's."""
        return self._stack.running(service)

    def pids(self, service: str) -> set[int]:
        """Everything that runs of a service."""
        return self._stack.running(service).pids()

    def cpu_ns(self) -> dict[str, int]:
        """Service -> CPU time so far in nanoseconds."""
        return self._stack.cpu_ns()

    def check(self) -> None:
        """Raises StackError where a service has died."""
        self._stack.check()

    def watch(self, pid: int) -> None:
        """A process that somebody else started ends with the bench too."""
        self._stack.watch(pid)

    def take_down(self, service: str, first: signal.Signals, within_s: float = STOP_WITHIN_S) -> Service:
        """Ends one by that signal; from now on it is no defect that it does not run (`Stack.take_down`).

        Its CPU is counted from zero where it is started again.
        """
        return self._stack.take_down(service, first, within_s)

    def unmount_at_end(self, folder: Path) -> None:
        """What will be mounted over that folder goes with the bench, however it ends."""
        self._stack.unmount_at_end(folder)

    # Processes of an experiment's own

    def take_port(self) -> int:
        """A free port of the loopback address, for as long as the stack is up."""
        return self._stack.ports.take()

    def log(self, name: str) -> Path:
        """Where a process of that name writes."""
        return self._stack.log(name)

    def start(self, *services: Service) -> None:
        """Starts them side by side; returns when each is ready. `stop_replicas` ends those of its tiers too."""
        self._stack.start(*services)

    def stop(self, *names: str) -> None:
        """Ends them; unknown names are passed over."""
        self._stack.stop(*names)
