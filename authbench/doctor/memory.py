"""Memory: what is free, what is swapped, and whether the kernel moves it about in huge pages."""

from pathlib import Path

from authbench.doctor import cgroups
from authbench.doctor.finding import Told, about

MEMINFO = Path("/proc/meminfo")
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
GB = 1e9


def fields(meminfo: Path) -> dict[str, int]:
    """Field -> bytes (or, for counts, the number)."""
    found = {}
    for line in meminfo.read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition(":")
        amount, *unit = rest.split()
        found[name] = int(amount) * (1024 if unit else 1)
    return found


@about("memory", "ten strategies with two replicas each, their databases and caches take about 2 GB")
def memory(meminfo: Path = MEMINFO, own: Path = cgroups.OWN, mounts: Path = cgroups.MOUNTS) -> Told:
    """What is available, and what a cgroup allows us."""
    told = fields(meminfo)
    limits = [limit for folder in cgroups.own_folders("memory", own, mounts) if (limit := _limit(folder)) is not None]
    limit = min((each for each in limits if each < told["MemTotal"]), default=None)
    usable = told["MemAvailable"] if limit is None else min(limit, told["MemAvailable"])
    found = f"{told['MemAvailable'] / GB:.1f} of {told['MemTotal'] / GB:.1f} GB available"
    found += "" if limit is None else f", limited to {limit / GB:.1f} GB"
    if usable >= 4 * GB:
        return Told("good", found)
    advice = "measure fewer strategies at a time (`--strategies`), or free memory"
    return Told("fair" if usable >= 1.5 * GB else "poor", found, advice)


@about("swap", "a swapped page is a pause of milliseconds, charged to whoever touches it")
def swap(meminfo: Path = MEMINFO) -> Told:
    """How much is swapped out now."""
    told = fields(meminfo)
    total, used = told["SwapTotal"], told["SwapTotal"] - told["SwapFree"]
    if total == 0:
        return Told("good", "none")
    found = f"{used / GB:.2f} of {total / GB:.1f} GB used"
    if used < 0.01 * GB:
        return Told("good", found)
    advice = "free memory, then `swapoff -a && swapon -a`, before measuring"
    return Told("fair" if used < 0.5 * GB else "poor", found, advice)


@about("huge pages", "under `always` the kernel merges pages in the background: memory a replica and tails vary")
def huge_pages(enabled: Path = HUGE_PAGES) -> Told:
    """Which mode of transparent huge pages is chosen, in brackets among the others."""
    text = enabled.read_text(encoding="utf-8")
    mode = text[text.index("[") + 1 : text.index("]")]
    found = f"transparent huge pages: {mode}"
    if mode != "always":
        return Told("good", found)
    return Told("fair", found, f"as root: `echo madvise > {HUGE_PAGES}`; leave it the same for all that you compare")


def _limit(folder: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        told = cgroups.value(folder, name)
        if told is not None and told != "max":
            return int(told)
    return None
