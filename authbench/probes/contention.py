"""CPU time of the stack's cores that went to processes of neither the stack nor the bench.

Steal tells what the hypervisor took away; this tells what this machine's other processes took. Where the machine's root
cgroup v1 is in sight, it is exact: nanoseconds by core of everything that ran, less those of the stack's own group.
Elsewhere it is the kernel's clock ticks by core, less what sampling by ticks may be wrong by: then the share is what is
certain, and a disturber that takes less does not show.
"""

import contextlib
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from authbench.backends.embedded import EmbeddedStack
from authbench.stack import nginx, processes
from authbench.stack.budget import Group
from authbench.stack.processes import TICK_NS

# Ticks sample who runs at a moment: counting k of n has a standard error of at most sqrt(n) / 2.
STANDARD_ERRORS = 3.0
READING_ERROR_TICKS = 2  # a core, at the window's two ends


@dataclass(frozen=True, slots=True)
class Reading:
    """The cores' time so far."""

    at_ns: int  # monotonic clock
    all_ns: int  # used by every process
    ours_ns: int  # used by the stack, and by the bench where it runs on these cores
    exact: bool


class ContentionProbe:
    """Reads the machine's use of the stack's cores around a window."""

    def __init__(self, stack: EmbeddedStack, stat: Path = Path("/proc/stat")) -> None:
        self._stack = stack
        self._stat = stat
        self._cores = stack.cores or tuple(sorted(os.sched_getaffinity(0)))
        self._group: Group = stack.running(nginx.NAME).group
        self._beside: tuple[int, ...] = ()
        self._before: Reading | None = None

    def before(self, beside: Iterable[int] = ()) -> None:
        """Starts to count. `beside`: pids of the bench, which no service's cgroup holds."""
        self._beside = tuple(beside)
        self._before = self._read()

    def after(self) -> float | None:
        """Share of the cores' time since, 0 to 1, that others used; None where it cannot be known."""
        now = self._read()
        if now is None or self._before is None:
            return None
        return share_of_others(self._before, now, len(self._cores))

    def _read(self) -> Reading | None:
        at_ns, beside_ns = time.monotonic_ns(), self._beside_ns()
        try:
            if root := _root(self._group):
                # One file for all services, read right after the machine's.
                everyone = _on(self._cores, root / "cpuacct.usage_percpu")
                ours = _on(self._cores, self._group.folders[0].parent / "cpuacct.usage_percpu")
                return Reading(at_ns, everyone, ours + beside_ns, exact=True)
            ticks = busy_ticks(self._stat.read_text(), self._cores)
        except (OSError, ValueError, IndexError):
            return None
        return Reading(at_ns, ticks * TICK_NS, self._services_ns() + beside_ns, exact=False)

    def _beside_ns(self) -> int:
        return processes.cpu_ns(pid for pid in self._beside if _may_run_on(pid, self._cores))

    def _services_ns(self) -> int:
        if self._group.folders and self._group.source == "cgroup-v2":
            lines = (self._group.folders[0].parent / "cpu.stat").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec ")) * 1000
        return sum(self._stack.cpu_ns().values())


def share_of_others(before: Reading, after: Reading, cores: int) -> float:
    """What of the cores' time between two readings is not ours; at least that much, where it comes from ticks."""
    whole_ns = (after.at_ns - before.at_ns) * cores
    if whole_ns <= 0:
        return 0.0
    others_ns = (after.all_ns - before.all_ns) - (after.ours_ns - before.ours_ns)
    if not (before.exact and after.exact):
        ticks = whole_ns / TICK_NS
        others_ns -= round((STANDARD_ERRORS * math.sqrt(ticks) / 2 + READING_ERROR_TICKS * cores) * TICK_NS)
    return min(max(others_ns / whole_ns, 0.0), 1.0)


def busy_ticks(stat: str, cores: Iterable[int]) -> int:
    """Clock ticks that processes used on these cores so far, from the text of /proc/stat; interrupts are nobody's.

    Raises ValueError where a core is not in it.
    """
    rows = {row[0]: row[1:] for line in stat.splitlines() if (row := line.split())}
    wanted = [f"cpu{core}" for core in cores]
    if missing := [name for name in wanted if name not in rows]:
        raise ValueError(f"no {', '.join(missing)} in it")
    return sum(int(field) for name in wanted for field in rows[name][:3])


def _root(group: Group) -> Path | None:
    """The machine's own cgroup above the stack's; None where a container shows only part of the machine."""
    if not group.folders or group.source != "cgroup-v1":
        return None
    root = group.folders[0].parents[1]
    # Only a root has this file.
    return root if (root / "release_agent").exists() and (root / "cpuacct.usage_percpu").exists() else None


def _on(cores: Iterable[int], usage: Path) -> int:
    by_core = usage.read_text().split()
    return sum(int(by_core[core]) for core in cores)


def _may_run_on(pid: int, cores: Iterable[int]) -> bool:
    with contextlib.suppress(OSError):
        return bool(os.sched_getaffinity(pid) & set(cores))
    return False
