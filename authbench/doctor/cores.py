"""Cores: how many there are for us, whether they share one physical core, and whether a quota cuts them."""

from pathlib import Path

from authbench.doctor import cgroups
from authbench.doctor.finding import Told, about
from authbench.machine import Cores

CPUS = Path("/sys/devices/system/cpu")
ENOUGH = 4  # one for the generator, three for load balancer and replicas, stores, and the rest


def listed(text: str) -> list[int]:
    """`0-2,5` as numbers."""
    numbers: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


@about("cores", "generator and stack have to run side by side; where they share a core, each slows the other")
def cores(available: frozenset[int], split: Cores, cpus: Path = CPUS) -> Told:
    """How many cores this process may use, of those online, and who gets which."""
    online = len(listed((cpus / "online").read_text(encoding="utf-8")))
    found = f"{len(available)} of {online}; {split.described()}"
    if len(available) >= ENOUGH:
        return Told("good", found)
    if len(available) > 1:
        return Told(
            "fair",
            found,
            "CPU a request holds; for latency at high rates and for replicas side by side take 4 cores or more",
            "all parts of the stack share what is left beside the generator: capacity is this machine's, not theirs",
        )
    more = "allow more with `taskset` or the container's cpuset" if online > 1 else "take a machine with 2 cores"
    return Told("poor", found, f"{more}; until then believe counts and instructions only")


@about("core siblings", "two threads of one physical core take turns: the generator's load slows what it measures")
def siblings(split: Cores, virtual: bool, cpus: Path = CPUS) -> Told:
    """Whether the generator's core is a hardware thread of one of the stack's."""
    if split.generator is None:
        return Told("poor", "one core for all", "take a machine with 2 cores")
    text = (cpus / f"cpu{split.generator}" / "topology" / "thread_siblings_list").read_text(encoding="utf-8")
    shared = sorted(set(listed(text)) & set(split.stack))
    if shared:
        names = ", ".join(map(str, shared))
        return Told(
            "poor",
            f"core {split.generator} (generator) is a sibling of {names} (stack)",
            "start authbench with `taskset -c` on cores of different physical ones (`lscpu -e`)",
        )
    told = ", as the hypervisor tells it; see `cores at once`" if virtual else ""
    return Told("good", f"core {split.generator} (generator) shares no physical core with the stack{told}")


@about("CPU quota", "a quota stops everything for the rest of each 100 ms once it is used up: latency and rate are cut")
def quota(available: int, own: Path = cgroups.OWN, mounts: Path = cgroups.MOUNTS) -> Told:
    """The narrowest CPU limit of the cgroups we stand in."""
    folders = cgroups.own_folders("cpu", own, mounts)
    if not folders:
        return Told("good", "none: no cgroup controls CPU here")
    limits = [cpus for folder in folders if (cpus := _limit(folder)) is not None]
    if not limits:
        return Told("good", "none")
    if min(limits) >= available:
        return Told("good", f"{min(limits):g} CPUs, for {available} cores: it cuts nothing")
    return Told(
        "poor",
        f"{min(limits):g} CPUs, for {available} cores",
        "give whole cores (a cpuset) instead of a quota: docker `--cpuset-cpus`, Kubernetes static CPU policy",
    )


@about("container", "other containers of the host share its cores and caches and cannot be seen from in here")
def container(root: Path = Path("/")) -> Told:
    """Which kind of container this is, as far as it shows."""
    kinds = {"kubepods": "Kubernetes", "docker": "Docker", "containerd": "containerd", "lxc": "LXC"}
    marks = {".dockerenv": "Docker", "run/.containerenv": "Podman"}
    seen = [kind for mark, kind in marks.items() if (root / mark).exists()]
    groups = (root / "proc/1/cgroup").read_text(encoding="utf-8")
    seen += [kind for word, kind in kinds.items() if word in groups]
    if not seen:
        return Told("good", "none seen")
    return Told("fair", f"{seen[0]}", "run no other container on this host while measuring, or give this one a cpuset")


def _limit(folder: Path) -> float | None:
    if (v2 := cgroups.value(folder, "cpu.max")) is not None:
        amount, period = v2.split()
        return None if amount == "max" else int(amount) / int(period)
    v1 = cgroups.value(folder, "cpu.cfs_quota_us")
    if v1 is None or int(v1) <= 0:
        return None
    return int(v1) / int((folder / "cpu.cfs_period_us").read_text(encoding="utf-8"))
