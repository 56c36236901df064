"""A window of load, with the CPU of every tier and what the machine did besides read around it."""

import os
from dataclasses import dataclass

from authbench.analysis.validity import Limits, machine_reasons
from authbench.backends.embedded import EmbeddedStack
from authbench.generator import Fire, Generator
from authbench.probes.contention import ContentionProbe
from authbench.probes.cpu import CpuProbe, CpuUse
from authbench.records import Load, Reason


@dataclass(frozen=True, slots=True)
class Watched:
    """What was sent and used, and why times and CPU do not count, if the machine had other things to do."""

    load: Load
    use: CpuUse
    disturbed: tuple[Reason, ...]


class Watch:
    """Fires on one strategy's replicas, whichever run then."""

    def __init__(self, stack: EmbeddedStack, generator: Generator, limits: Limits | None = None) -> None:
        self._generator = generator
        self._limits = limits
        self._cpu = CpuProbe(stack)
        self._contention = ContentionProbe(stack)

    def fire(self, strategy: str, plan: Fire) -> Watched:
        """One window. Raises GeneratorDiedError where the generator ends in it."""
        self._contention.before((os.getpid(), self._generator.pid))
        self._cpu.before(strategy)
        load = self._generator.fire(plan)
        use, others = self._cpu.after(), self._contention.after()
        return Watched(load, use, machine_reasons(use.steal_share, others, self._limits))
