"""What else runs here: read before the doctor itself makes any load."""

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from authbench.doctor.finding import Told, about, graded

PROC = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SHOWN = 3
QUIET = "end what else runs, or measure at another time"


class Ticks(NamedTuple):
    """CPU time of our cores since boot, in clock ticks."""

    busy: int
    steal: int
    total: int

    def since(self, before: "Ticks") -> "Ticks":
        """What was added."""
        return Ticks(self.busy - before.busy, self.steal - before.steal, self.total - before.total)


class Snapshot(NamedTuple):
    """The machine at one moment. `ticks` is None where /proc/stat cannot be read."""

    at_s: float
    ticks: Ticks | None
    processes: Mapping[int, tuple[str, int]]  # pid -> (name, ticks used)


def snapshot(cores: Collection[int], proc: Path = PROC) -> Snapshot:
    """Takes one; what cannot be read is left out."""
    try:
        ticks = read_ticks(cores, proc / "stat")
    except (OSError, ValueError):
        ticks = None
    return Snapshot(time.monotonic(), ticks, _processes(proc))


def read_ticks(cores: Collection[int], stat: Path) -> Ticks:
    """Adds up our cores' lines. Raises OSError or ValueError where it cannot be read or understood."""
    wanted = {f"cpu{core}" for core in cores}
    rows = [line.split() for line in stat.read_text(encoding="utf-8").splitlines()]
    chosen = [[int(each) for each in row[1:9]] for row in rows if row and row[0] in wanted]
    if not chosen:
        raise ValueError(f"{stat}: no line of cores {sorted(cores)}")
    user, nice, system, idle, wait, irq, soft, steal = (sum(column) for column in zip(*chosen, strict=True))
    busy = user + nice + system + irq + soft
    return Ticks(busy, steal, busy + idle + wait + steal)


@about("other load", "whatever else runs takes turns with what is measured, and its caches")
def others(first: Snapshot, second: Snapshot, own_pid: int) -> Told:
    """How busy our cores were between two moments, and the three programs that used most, by name."""
    if first.ticks is None or second.ticks is None:
        raise ValueError(f"{PROC / 'stat'} cannot be read")
    spent = second.ticks.since(first.ticks)
    share = spent.busy / spent.total if spent.total else 0.0
    span = max(second.at_s - first.at_s, 1e-9) * TICKS_A_SECOND
    used: dict[str, int] = {}
    for pid, (name, ticks) in second.processes.items():
        before = first.processes.get(pid, (name, 0))[1]  # one that began in between has used all it has since
        if pid != own_pid and ticks > before:
            used[name] = used.get(name, 0) + ticks - before
    most = sorted(used.items(), key=lambda each: (-each[1], each[0]))[:SHOWN]
    found = f"cores {share:.1%} busy before the doctor began"
    if most:
        found += "; " + ", ".join(f"{name} {ticks / span:.0%} of a core" for name, ticks in most)
    state = graded(share, 0.03, 0.1)
    return Told(state, found, "" if state == "good" else QUIET)


@about("load average", "the last minutes: a build that has just ended leaves a warm machine and full queues")
def average(cores: int, file: Path = PROC / "loadavg") -> Told:
    """Runnable processes a core over the last 1, 5 and 15 minutes."""
    one, five, fifteen = map(float, file.read_text(encoding="utf-8").split()[:3])
    found = f"{one:g}, {five:g}, {fifteen:g} over 1, 5, 15 minutes on {cores} cores"
    state = graded(one / cores, 0.3, 1.0)
    return Told(state, found, "" if state == "good" else QUIET)


@about("CPU pressure", "the share of time in which something waited for a core")
def pressure(file: Path = PROC / "pressure" / "cpu") -> Told:
    """The kernel's own measure of waiting (PSI), over 10 and 60 seconds."""
    if not file.exists():
        return Told("unknown", "this kernel does not tell (no PSI)", "go by `other load`")
    some = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("some "))
    told = dict(part.split("=") for part in some.split()[1:])
    found = f"{float(told['avg10']):g} % of the last 10 s, {float(told['avg60']):g} % of the last minute"
    state = graded(max(float(told["avg10"]), float(told["avg60"])), 1.0, 10.0)
    return Told(state, found, "" if state == "good" else QUIET)


def _processes(proc: Path) -> dict[int, tuple[str, int]]:
    found = {}
    for folder in proc.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_bytes().decode("utf-8", "replace")
            fields = text[text.rindex(")") + 2 :].split()
            found[int(folder.name)] = (text[text.index("(") + 1 : text.rindex(")")], int(fields[11]) + int(fields[12]))
        except (OSError, ValueError, IndexError):
            continue  # ended in between
    return found
