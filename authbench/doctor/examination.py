"""The whole examination: what is quiet first, then what makes load itself, then the real stack."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from authbench.doctor import (
    budgets,
    clock,
    cores,
    disk,
    frequency,
    host,
    interpreter,
    limits,
    load,
    memory,
    programs,
    speed,
)
from authbench.doctor.finding import Finding
from authbench.errors import AuthbenchError
from authbench.machine import split_cores
from authbench.progress import Watcher

Noise = Callable[[float], Sequence[Finding]]  # seconds -> what an A/A of the real stack found
NOISE_S = 10.0
NOISE_MEANS = "how far two runs of one build differ here: no smaller difference can be told"


@dataclass(frozen=True, slots=True)
class Examination:
    """All findings, and why the embedded backend cannot run; None where it can."""

    findings: tuple[Finding, ...]
    fault: str | None


def examine(
    watcher: Watcher,
    folder: Path,
    noise: Noise | None,
    *,
    idle_s: float = 2.0,
    work_s: float = 3.0,
    pairs: int = speed.PAIRS,
) -> Examination:
    """Looks at everything; takes about ten seconds and the A/A's ten. `folder`: where results would go.

    Only an interrupt ends it early: what cannot be read is a finding too.
    """
    available = frozenset(os.sched_getaffinity(0))
    busy = list(_busy(available, watcher, idle_s, work_s, pairs))
    watcher.phase("looking at the machine")
    machine = list(_machine(available))
    watcher.phase("looking at the programs")
    embedded = programs.embedded()
    ports = limits.ports()
    essential = [*embedded, ports]
    fault = next((f"{each.topic}: {each.found}" for each in essential if each.state == "poor"), None)
    rest = [*_backends(embedded), limits.open_files(), ports, *_places(folder), *_python()]
    return Examination((*machine, *busy, *rest, *_noise(noise, fault, watcher)), fault)


def _busy(available: frozenset[int], watcher: Watcher, idle_s: float, work_s: float, pairs: int) -> Iterator[Finding]:
    watcher.phase("watching what else runs")
    quiet = (load.pressure(), load.average(len(available)))  # before the doctor's own work moves them
    first = load.snapshot(available)
    time.sleep(idle_s)
    second = load.snapshot(available)
    yield load.others(first, second, os.getpid())
    yield from quiet
    watcher.phase("measuring the clock and the timer")
    yield clock.clock_source()
    yield clock.clock_reading(sorted(available))
    yield clock.timer(split_cores(available))
    watcher.phase("measuring how steady the cores are")
    third = load.snapshot(available)
    try:
        speeds = speed.measure(sorted(available), work_s, pairs)
    except (OSError, ValueError, subprocess.SubprocessError):
        speeds = None
    fourth = load.snapshot(available)
    yield host.steal((first, second), (third, fourth))
    yield speed.steadiness(speeds)
    yield speed.at_once(speeds)


def _machine(available: frozenset[int]) -> Iterator[Finding]:
    split = split_cores(available)
    virtual = host.is_virtual()
    yield cores.cores(available, split)
    yield cores.siblings(split, virtual)
    yield cores.quota(len(available))
    yield cores.container()
    yield host.hypervisor()
    yield memory.memory()
    yield memory.swap()
    yield memory.huge_pages()
    yield frequency.governor(virtual)
    yield frequency.turbo(virtual)


def _backends(embedded: Sequence[Finding]) -> Iterator[Finding]:
    yield from embedded
    yield programs.openbao()
    yield programs.docker()
    yield programs.valgrind()
    yield budgets.counting()
    yield budgets.budgets()


def _places(folder: Path) -> Iterator[Finding]:
    yield disk.results(folder)
    yield disk.temporary()
    yield disk.shared_memory()


def _python() -> Iterator[Finding]:
    yield interpreter.python()
    yield interpreter.randomisation()


def _noise(noise: Noise | None, fault: str | None, watcher: Watcher) -> Sequence[Finding]:
    if noise is None:
        return [Finding("noise", "unknown", "not measured", NOISE_MEANS, "leave out `--no-noise`")]
    if fault is not None:
        return [Finding("noise", "unknown", "not measured: the stack cannot run", NOISE_MEANS, "see above")]
    watcher.phase(f"measuring the same build against itself for {NOISE_S:g} s")
    try:
        return noise(NOISE_S)
    except (AuthbenchError, OSError) as error:
        return [Finding("noise", "unknown", f"not measured: {error}", NOISE_MEANS, "`authbench verify` says more")]
