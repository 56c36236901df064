"""How many files and ports a stack may open."""

import resource
from pathlib import Path

from authbench.doctor.finding import Told, about
from authbench.errors import StackError
from authbench.stack.ports import HIGHEST, LOWEST, Ports

NET = Path("/proc/net")
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LISTENING = "0A"
WANTED_FILES = 4096


@about("open files", "each connection of the generator, the load balancer and the stores is a file")
def open_files(limits: tuple[int, int] | None = None) -> Told:
    """The limit on open files of this process, which the parts inherit."""
    soft, hard = limits or resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    found = f"{'no limit' if soft == unlimited else soft} (hard limit {'none' if hard == unlimited else hard})"
    if soft == unlimited or soft >= WANTED_FILES:
        return Told("good", found)
    advice = f"`ulimit -n {WANTED_FILES}` before authbench"
    return Told("fair" if soft >= 1024 else "poor", found, advice)


@about("ports", f"the parts listen on ports from {LOWEST} to {HIGHEST}, below those that the kernel hands out")
def ports(net: Path = NET, ephemeral: Path = EPHEMERAL, taking: type[Ports] = Ports) -> Told:
    """Whether one can be taken, how many are free, and whether the kernel hands out the same ones."""
    held = taking()
    try:
        held.take()
    except StackError as error:
        return Told("poor", str(error), "set TMPDIR to a folder of yours, and end old stacks")
    finally:
        held.close()
    listening = {port for name in ("tcp", "tcp6") for port in _listening(net / name)}
    free = HIGHEST - LOWEST + 1 - sum(LOWEST <= port <= HIGHEST for port in listening)
    low, high = map(int, ephemeral.read_text(encoding="utf-8").split())
    found = f"{free} free of {HIGHEST - LOWEST + 1}; the kernel hands out {low} to {high}"
    if low <= HIGHEST:
        return Told(
            "fair",
            found,
            f"as root: `echo '32768 60999' > {EPHEMERAL}`",
            "the kernel may hand out a port that a part is about to listen on: a start fails now and then",
        )
    return Told("good", found)


def _listening(file: Path) -> list[int]:
    """Ports that somebody listens on; empty where that family is switched off."""
    if not file.exists():
        return []
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING]
