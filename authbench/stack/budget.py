"""What each service may use of the CPU and what it has used, by a cgroup of its own where this machine lets us.

A cgroup counts everything that ever ran in it, short-lived children included. Without one, the bench adds up the
process tree (`schedstat`), and no budget can be set.
"""

import contextlib
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from authbench.errors import StackError
from authbench.records import CpuSource
from authbench.stack import processes
from authbench.stack.watchdog import cgroup_members

PERIOD_US = 100_000  # the kernel's own default
MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True)
class Accounting:
    """How CPU is counted on this machine, and whether it can be limited."""

    source: CpuSource
    usage: Path | None = None  # where groups that count are made
    quota: Path | None = None  # where groups that limit are made; the same one under v2
    why: str = ""  # why there are no groups or no limits, for people

    @property
    def can_limit(self) -> bool:
        """Whether a service can be given a budget."""
        return self.quota is not None

    def group(self, stack: str, service: str, cpus: float | None = None) -> "Group":
        """A new cgroup, limited to `cpus` cores where given. Raises StackError where that cannot be done here."""
        if cpus is not None and self.quota is None:
            raise StackError(f"{service}: cannot be given a budget of {cpus:g} CPUs here: {self.why}")
        parents = [self.usage] if cpus is None else [self.usage, self.quota]
        folders = list(dict.fromkeys(parent / stack / service for parent in parents if parent is not None))
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
            if cpus is not None and self.quota is not None:
                _limit(self.quota / stack / service, cpus, self.source)
        except OSError as error:
            raise StackError(f"{service}: its cgroup cannot be made ({error})") from error
        return Group(self.source, tuple(folders))

    def parents(self, stack: str) -> tuple[Path, ...]:
        """The folders that hold all groups of the stack, for whoever removes them."""
        return tuple(dict.fromkeys(parent / stack for parent in (self.usage, self.quota) if parent is not None))


@dataclass(frozen=True, slots=True)
class Group:
    """One service's cgroup; without folders it counts nothing."""

    source: CpuSource = "schedstat"
    folders: tuple[Path, ...] = field(default=())

    @property
    def entrances(self) -> tuple[Path, ...]:
        """Files into which a process writes its pid to belong to the group."""
        return tuple(folder / "cgroup.procs" for folder in self.folders)

    def cpu_ns(self) -> int | None:
        """CPU time of everything that ever ran in it; None without a group."""
        if not self.folders:
            return None
        if self.source == "cgroup-v1":
            return int((self.folders[0] / "cpuacct.usage").read_text())
        return _field(self.folders[0] / "cpu.stat", "usage_usec") * 1000

    def throttled_ns(self) -> int:
        """How long its members were kept waiting for the next period's budget, added over cores."""
        if not self.folders:
            return 0
        if self.source == "cgroup-v1":
            return _field(self.folders[-1] / "cpu.stat", "throttled_time")
        return _field(self.folders[0] / "cpu.stat", "throttled_usec") * 1000

    def limit(self, cpus: float | None) -> None:
        """Gives its members that budget in cores from now on; None: none for the time being."""
        if not self.folders:
            return
        if cpus is not None:
            _limit(self.folders[-1], cpus, self.source)
        elif self.source == "cgroup-v1":
            (self.folders[-1] / "cpu.cfs_quota_us").write_text("-1")
        else:
            (self.folders[-1] / "cpu.max").write_text("max")

    def pids(self) -> set[int]:
        """Its members."""
        return {pid for folder in self.folders[:1] for pid in cgroup_members(str(folder))}

    def remove(self) -> None:
        """Removes it where it is empty; otherwise the watchdog will."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def accounting() -> Accounting:
    """The best way this machine and this user allow, found by trying it."""
    v1 = _v1()
    if v1 is not None and v1.can_limit:
        return v1
    v2 = _v2()
    if v2 is not None and v2.can_limit:
        return v2
    return v1 or v2 or Accounting("schedstat", why="no cgroup that this user may write to; CPU is added up from /proc")


def tree_cpu_ns(roots: list[int]) -> int:
    """CPU time of the process trees, for machines without cgroups."""
    return processes.cpu_ns(processes.tree(roots, processes.table()))


def _v1() -> Accounting | None:
    mounts = {name: path for path, kind, options in _mounts() if kind == "cgroup" for name in options}
    usage, quota = mounts.get("cpuacct"), mounts.get("cpu")
    if usage is None or not _can_enter(usage, "cpuacct.usage"):
        return None
    if quota is None or not _can_enter(quota, "cpu.cfs_quota_us"):
        return Accounting("cgroup-v1", usage, None, "the cgroup controller `cpu` cannot be written")
    return Accounting("cgroup-v1", usage, quota)


def _v2() -> Accounting | None:
    mount = next((path for path, kind, _ in _mounts() if kind == "cgroup2"), None)
    if mount is None:
        return None
    own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/")
    here = mount / own.strip().lstrip("/")
    counting = None
    for parent in dict.fromkeys((mount, here.parent if here != mount else mount, here)):
        with contextlib.suppress(OSError):
            (parent / "cgroup.subtree_control").write_text("+cpu")
        if _can_enter(parent, "cpu.max"):
            return Accounting("cgroup-v2", parent, parent)
        if counting is None and _can_enter(parent, "cpu.stat"):
            counting = parent
    if counting is None:
        return None
    return Accounting("cgroup-v2", counting, None, "the cgroup controller `cpu` is not delegated to this user")


def _can_enter(parent: Path, needed: str) -> bool:
    """Whether a group made there has the needed file and lets a process in."""
    trial = parent / f"authbench-trial-{os.getpid()}"
    try:
        trial.mkdir()
    except OSError:
        return False
    try:
        if not os.access(trial / needed, os.R_OK):
            return False
        joining = ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs"', str(trial)]
        return subprocess.run(joining, capture_output=True, check=False).returncode == 0
    finally:
        with contextlib.suppress(OSError):
            trial.rmdir()


def _limit(folder: Path, cpus: float, source: CpuSource) -> None:
    quota_us = max(1000, round(cpus * PERIOD_US))  # the kernel takes nothing smaller
    if source == "cgroup-v1":
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (folder / "cpu.cfs_quota_us").write_text(str(quota_us))
        return
    # Between the parent and the service stands the stack's own folder, which has to pass the controller on.
    (folder.parent / "cgroup.subtree_control").write_text("+cpu")
    (folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")


def _mounts() -> list[tuple[Path, str, list[str]]]:
    rows = [line.split() for line in MOUNTS.read_text().splitlines()]
    return [(Path(row[1]), row[2], row[3].split(",")) for row in rows if row[2].startswith("cgroup")]


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name + " ")), 0)
