"""Memory of each replica, with what its processes share counted once."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from authbench.backends.embedded import EmbeddedStack


def resident_bytes(stack: EmbeddedStack, strategy: str) -> Mapping[str, int]:
    """Replica -> bytes. The kernel needs about a millisecond a process for it: not to be asked in a measured window."""
    return {name: tree_bytes(stack.pids(name)) for name in stack.replica_names(strategy)}


def tree_bytes(pids: Iterable[int], proc: Path = Path("/proc")) -> int:
    """Proportional set size of some processes; resident set size where the kernel does not tell."""
    return sum(_proportional(proc / str(pid)) or _resident(pid) for pid in pids)


def _proportional(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
