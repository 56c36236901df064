"""How CPU is counted here, and whether a replica can be given a budget."""

from collections.abc import Callable

from authbench.doctor.finding import Told, about
from authbench.stack.budget import Accounting, accounting

COUNTED = {
    "cgroup-v1": "cgroups v1, in nanoseconds, short-lived children included",
    "cgroup-v2": "cgroups v2, in microseconds, short-lived children included",
    "schedstat": "process trees in /proc, in nanoseconds; ended children in steps of 10 ms",
}


@about("CPU accounting", "CPU a request, the leading figure, comes from here")
def counting(read: Callable[[], Accounting] = accounting) -> Told:
    """What CPU time is read from."""
    source = read().source
    if source != "schedstat":
        return Told("good", COUNTED[source])
    return Told(
        "fair",
        COUNTED[source],
        "run as root, or have a cgroup delegated (`systemd-run --user --scope -p Delegate=yes authbench …`)",
        "database backends that live shorter than 10 ms are counted roughly",
    )


@about("CPU budgets", "with a budget each, four replicas are four times one replica's CPU, even on a small machine")
def budgets(read: Callable[[], Accounting] = accounting) -> Told:
    """Whether replicas can be given a CPU budget, and why not."""
    found = read()
    if found.can_limit:
        return Told("good", f"can be set ({found.source})")
    return Told(
        "fair",
        f"cannot be set: {found.why}",
        "run as root, or have the controller `cpu` delegated; without it no scaling curve is drawn",
    )
