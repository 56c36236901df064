"""What /proc says about processes: who descends from whom, who still runs, how much CPU each has used.

Only the standard library, since the watchdog runs on this file alone.
"""

import os
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """One line of /proc/<pid>/stat."""

    pid: int
    parent: int
    session: int
    state: str  # Z and X have ended
    started: int  # clock ticks since boot: with the pid, names a process for ever
    reaped_ns: int  # CPU of children that have ended and been waited for; 10 ms steps

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.state not in "ZX"


def read(pid: int) -> Process | None:
    """The process, or None where there is none of that pid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - in the watchdog pathlib would be half the memory
            text = file.read().decode("latin-1")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return Process(
        pid, int(fields[1]), int(fields[3]), fields[0], int(fields[19]), (int(fields[13]) + int(fields[14])) * TICK_NS
    )


def table() -> dict[int, Process]:
    """Every process that this user can see, by pid."""
    found = (read(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
    return {process.pid: process for process in found if process is not None}


def tree(roots: Iterable[int], processes: Mapping[int, Process]) -> set[int]:
    """Pids of the roots, of all that descend from them, and of their sessions' members; ended ones left out."""
    children: dict[int, list[int]] = {}
    sessions: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
        sessions.setdefault(process.session, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, []) + sessions.get(pid, [])
    return {pid for pid in found if pid in processes and processes[pid].runs}


def threads(pid: int) -> list[int]:
    """Thread ids of a process; empty where it has ended."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
    except OSError:
        return []


def cpu_ns(pids: Iterable[int]) -> int:
    """CPU time of these processes so far, ended threads and reaped children included.

    The processes' own part is the scheduler's, in nanoseconds; the reaped children's comes in 10 ms steps.
    """
    total = 0
    for pid in pids:
        process = read(pid)
        if process is None:
            continue
        try:
            total += time.clock_gettime_ns((~pid << 3) | 2) + process.reaped_ns  # clock_getcpuclockid(3)
        except OSError:
            continue  # ended in between
    return total
