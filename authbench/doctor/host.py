"""The host under this machine: who it is, and how much of our CPU it gives to others."""

from pathlib import Path

from authbench.doctor.finding import Told, about, graded
from authbench.doctor.load import Snapshot

CPUINFO = Path("/proc/cpuinfo")
VENDOR = Path("/sys/devices/virtual/dmi/id/sys_vendor")
INVALID_ABOVE = 0.02  # METHOD.md: a trial with more does not count


def is_virtual(cpuinfo: Path = CPUINFO) -> bool:
    """Whether the processor says that a hypervisor is under it; False where it cannot be read."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any("hypervisor" in line.split() for line in lines if line.startswith(("flags", "Features")))


@about("hypervisor", "other guests share caches, memory and clock rate; only steal is told, slow phases are not")
def hypervisor(cpuinfo: Path = CPUINFO, vendor: Path = VENDOR) -> Told:
    """Whether this is a virtual machine, and whose."""
    cpuinfo.read_text(encoding="utf-8")  # raises where it cannot be told
    if not is_virtual(cpuinfo):
        return Told("good", "none seen")
    whose = vendor.read_text(encoding="utf-8").strip() if vendor.exists() else ""
    found = "virtual machine" + (f" ({whose})" if whose else "")
    return Told("fair", found, "compare within one run only; for absolute figures take a machine or host of your own")


@about("steal", f"CPU that the host gave to others; a window with more than {INVALID_ABOVE:.0%} does not count")
def steal(idle: tuple[Snapshot, Snapshot], working: tuple[Snapshot, Snapshot]) -> Told:
    """Its share while we waited, while we worked on all cores, and since boot."""
    shares = []
    for before, after in (idle, working):
        if before.ticks is None or after.ticks is None:
            raise ValueError("/proc/stat cannot be read")
        spent = after.ticks.since(before.ticks)
        shares.append(spent.steal / spent.total if spent.total else 0.0)
    last = working[1].ticks
    since_boot = last.steal / last.total if last is not None and last.total else 0.0
    found = f"{shares[1]:.2%} under our load, {shares[0]:.2%} before it, {since_boot:.2%} since boot"
    state = graded(max(shares[1], since_boot), 0.005, INVALID_ABOVE)
    advice = "measure at another time, or on a host with cores of your own (dedicated, not burstable)"
    return Told(state, found, "" if state == "good" else advice)
