"""Windows of load on the mesh, with every count and the CPU of every tier around them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from authbench.analysis.validity import load_reasons, machine_reasons
from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.services.mesh import Mesh, Received
from authbench.generator import Fire, Generator
from authbench.probes.contention import ContentionProbe
from authbench.probes.cpu import stolen
from authbench.probes.database import DatabaseProbe
from authbench.records import Load, Reason, Tier

STAT = Path("/proc/stat")


@dataclass(frozen=True, slots=True)
class Window:
    """One window of load, what it asked of whom, and what it used."""

    load: Load
    received: Received  # by the services, in the window
    edge_bytes: int  # header bytes that the gateway received
    statements: int  # at the auth database
    auth_calls: int  # at the auth service
    cpu_s: Mapping[Tier, float]
    reasons: tuple[Reason, ...]  # why its times do not count

    def cpu_ms(self, *tiers: Tier) -> float | None:
        """CPU a right answer, of these tiers or of all, in milliseconds; None where there was no right answer."""
        used = [seconds for tier, seconds in self.cpu_s.items() if not tiers or tier in tiers]
        return 1000 * sum(used) / self.load.ok if self.load.ok else None


@dataclass(frozen=True, slots=True)
class _Counts:
    received: Received
    edge_bytes: int
    statements: int
    auth_calls: int


class Windows:
    """Fires and reads. Use as a context manager."""

    def __init__(self, stack: EmbeddedStack, generator: Generator, mesh: Mesh) -> None:
        self._stack, self._generator, self._mesh = stack, generator, mesh
        self._database = DatabaseProbe(stack)
        self._contention = ContentionProbe(stack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def fire(self, strategy: str, plan: Fire, attempts: int) -> Window:
        """A measured window; up to so many, until one counts. `strategy`: whose database is the auth database."""
        for _ in range(attempts):
            window = self._fire(strategy, plan)
            if not window.reasons:
                break
        return window

    def connections(self, strategy: str) -> int:
        """Database connections that are held now, whoever holds them; idle ones too."""
        self._database.before(strategy)
        return sum(sum(states.values()) for states in self._database.connections().values())

    def _fire(self, strategy: str, plan: Fire) -> Window:
        before = self._counts(strategy)
        steal, ticks = stolen(STAT.read_text())
        self._contention.before((os.getpid(), self._generator.pid))
        cpu = self._stack.cpu_ns()
        load = self._generator.fire(plan)
        used = {name: ns - cpu[name] for name, ns in self._stack.cpu_ns().items()}
        others = self._contention.after()
        steal_now, ticks_now = stolen(STAT.read_text())
        after = self._counts(strategy)
        cpu_s: dict[Tier, float] = {}
        for name, ns in used.items():
            tier = self._stack.tiers[name]
            cpu_s[tier] = cpu_s.get(tier, 0.0) + ns / 1e9
        steal_share = (steal_now - steal) / max(ticks_now - ticks, 1)
        return Window(
            load=load,
            received=after.received.since(before.received),
            edge_bytes=after.edge_bytes - before.edge_bytes,
            statements=after.statements - before.statements,
            auth_calls=after.auth_calls - before.auth_calls,
            cpu_s=cpu_s,
            reasons=(*load_reasons(load), *machine_reasons(steal_share, others)),
        )

    def _counts(self, strategy: str) -> _Counts:
        _, edge_bytes = self._mesh.received_at_gateway()
        statements = self._database.totals(strategy).statements
        return _Counts(self._mesh.received(), edge_bytes, statements, self._mesh.auth_calls())
