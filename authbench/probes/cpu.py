"""CPU time by tier, what the hypervisor took away, and how long budgets held the replicas back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from authbench.backends.embedded import EmbeddedStack
from authbench.records import Tier

SHARED: tuple[str, ...] = ("nginx", "postgres", "valkey")
OPTIONAL: tuple[str, ...] = ("postgres-sessions", "pgbouncer", "openbao")  # shared too, where the stack has them


@dataclass(frozen=True, slots=True)
class CpuUse:
    """What one window used."""

    cpu_s: Mapping[Tier, float]  # `app` and `auth`: the strategy's own only
    replica_cpu_s: Mapping[str, float]
    steal_share: float  # of all cores' time; 0 to 1
    throttled_s: float  # added over replicas and cores


@dataclass(frozen=True, slots=True)
class _Reading:
    services: Mapping[str, int]
    throttled_ns: int
    steal: int
    ticks: int


class CpuProbe:
    """Reads the services' cgroups, or their process trees where there are none."""

    def __init__(self, stack: EmbeddedStack, stat: Path = Path("/proc/stat")) -> None:
        self._stack = stack
        self._stat = stat
        self._replicas: list[str] = []
        self._services: list[str] = []  # the strategy's own auth service
        self._before = _Reading({}, 0, 0, 0)

    def before(self, strategy: str) -> None:
        """Starts to count."""
        self._replicas = self._stack.replica_names(strategy)
        service = self._stack.auth_service_of(strategy)
        self._services = [service] if service else []
        self._before = self._read()

    def after(self, probe_in_database_ns: int = 0, probe_in_sessions_ns: int = 0) -> CpuUse:
        """What was used since; the probe's own work in the databases is taken off."""
        now = self._read()
        used = {name: now.services[name] - self._before.services[name] for name in now.services}
        used["postgres"] -= probe_in_database_ns + probe_in_sessions_ns  # of one tier, whichever server
        cpu_s: dict[Tier, float] = {}
        for name, ns in used.items():
            tier = self._stack.tiers[name]
            cpu_s[tier] = cpu_s.get(tier, 0.0) + ns / 1e9
        ticks = now.ticks - self._before.ticks
        return CpuUse(
            cpu_s=cpu_s,
            replica_cpu_s={name: used[name] / 1e9 for name in self._replicas},
            steal_share=(now.steal - self._before.steal) / ticks if ticks else 0.0,
            throttled_s=(now.throttled_ns - self._before.throttled_ns) / 1e9,
        )

    def _read(self) -> _Reading:
        shared = (*SHARED, *(name for name in OPTIONAL if name in self._stack.tiers))
        running = [self._stack.running(name) for name in (*shared, *self._services, *self._replicas)]
        steal, ticks = stolen(self._stat.read_text())
        return _Reading(
            services={each.service.name: each.cpu_ns() for each in running},
            throttled_ns=sum(each.group.throttled_ns() for each in running if each.service.cpus is not None),
            steal=steal,
            ticks=ticks,
        )


def stolen(stat: str) -> tuple[int, int]:
    """(stolen, all) clock ticks of all cores so far, from the text of /proc/stat.

    Guest time is part of user time and not added again.
    """
    fields = [int(field) for field in stat.split("\n", 1)[0].split()[1:9]]
    return fields[7], sum(fields)
