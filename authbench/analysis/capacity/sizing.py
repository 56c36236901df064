"""How much of everything a rate needs, by the utilisation law, and which part gives out first."""

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from authbench.analysis.capacity.demand import Demand
from authbench.analysis.capacity.prices import HOURS_A_MONTH, Prices
from authbench.records import Frozen, Tier

MONTH_S = HOURS_A_MONTH * 3600
GIGABYTE = 1e9
POSTGRESQL_RESERVED = 3  # superuser_reserved_connections, PostgreSQL's default


class Fleet(Frozen):
    """What parts are like. CPU is in cores like the measured one."""

    utilisation: Annotated[float, Field(gt=0, lt=1)] = 0.6  # most that any part is to be busy
    replica_vcpus: Annotated[float, Field(gt=0)] = 1.0
    max_connections: Annotated[int, Field(gt=POSTGRESQL_RESERVED)] = 100  # PostgreSQL's default
    database_vcpus: Annotated[float, Field(gt=0)] = 64.0  # of the largest server that is to be had
    balancer_vcpus: Annotated[float, Field(gt=0)] = 64.0
    auth_vcpus: Annotated[float, Field(gt=0)] = 64.0

    @property
    def free_connections(self) -> int:
        """What applications can have of `max_connections`."""
        return self.max_connections - POSTGRESQL_RESERVED


class Sizing(Frozen):
    """One strategy at one rate."""

    rps: float
    replicas: int
    vcpus: Mapping[Tier, float]  # provisioned, at the fleet's utilisation
    connections: int  # to the database, without a pooler
    connections_pooled: int  # with one that lends a connection for a transaction
    fits: bool  # without a pooler, within the database's limit
    fits_pooled: bool
    statements_per_s: float
    cache_commands_per_s: float
    auth_calls_per_s: float
    megabits_in_per_s: float
    megabits_out_per_s: float
    cost_per_month: float | None  # None: no prices; for whichever of the two ways to connect is taken

    @property
    def total_vcpus(self) -> float:
        """Of all tiers."""
        return sum(self.vcpus.values())


class Limit(Frozen):
    """The rate at which a part that cannot be multiplied gives out."""

    part: str
    rps: float


def size(demand: Demand, rps: float, fleet: Fleet, prices: Prices | None = None) -> Sizing:
    """The plan for that many requests a second.

    Replicas: CPU of the application over what one replica has at that utilisation. Connections without a pooler: what a
    replica was measured to hold, times replicas, since it holds them whether it is busy or not. With a pooler: the
    database's busy cores, since a connection that waits for nobody keeps one core busy, at the same utilisation; two at
    least, where there are any.
    """
    busy = fleet.utilisation
    vcpus = {tier: rps * demand.tier_ms(tier, busy) / 1000 / busy for tier in demand.tiers()}
    replicas = max(1, math.ceil(vcpus.get("app", 0.0) / fleet.replica_vcpus - 1e-9))
    connections = math.ceil(replicas * demand.connections_per_replica - 1e-9)
    pooled = min(connections, max(2, math.ceil(vcpus.get("db", 0.0) / fleet.utilisation))) if connections else 0
    return Sizing(
        rps=rps,
        replicas=replicas,
        vcpus=vcpus,
        connections=connections,
        connections_pooled=pooled,
        fits=connections <= fleet.free_connections and vcpus.get("db", 0.0) <= fleet.database_vcpus,
        fits_pooled=pooled <= fleet.free_connections and vcpus.get("db", 0.0) <= fleet.database_vcpus,
        statements_per_s=rps * demand.statements,
        cache_commands_per_s=rps * demand.cache_commands,
        auth_calls_per_s=rps * demand.auth_calls,
        megabits_in_per_s=rps * demand.bytes_out * 8 / 1e6,  # what the generator sent comes in
        megabits_out_per_s=rps * demand.bytes_in * 8 / 1e6,
        cost_per_month=None
        if prices is None
        else _cost(demand, rps, vcpus, replicas * fleet.replica_vcpus, connections > fleet.free_connections, prices),
    )


def _cost(
    demand: Demand, rps: float, vcpus: Mapping[Tier, float], app_vcpus: float, pooler: bool, prices: Prices
) -> float:
    hours = (
        app_vcpus * prices.app_vcpu_hour
        + vcpus.get("db", 0.0) * prices.database_vcpu_hour
        + vcpus.get("lb", 0.0) * prices.balancer_vcpu_hour
        + vcpus.get("auth", 0.0) * prices.auth_vcpu_hour
        + vcpus.get("vault", 0.0) * prices.vault_vcpu_hour
        + (prices.pooler_hour if pooler else 0.0)
    )
    if demand.cache_commands:
        hours += max(prices.cache_server_hour, vcpus.get("cache", 0.0) * prices.cache_vcpu_hour)
    return hours * HOURS_A_MONTH + rps * demand.bytes_in * MONTH_S / GIGABYTE * prices.gigabyte_out


def limits(demand: Demand, fleet: Fleet) -> tuple[Limit, ...]:
    """What gives out as the rate grows while replicas are added, the first one first; empty where nothing does.

    The application's replicas are never the limit: they are what is added.
    """
    found = []
    busy = fleet.utilisation
    if demand.connections_per_replica > 0 and (app_ms := demand.tier_ms("app", busy)) > 0:
        replicas = math.floor(fleet.free_connections / demand.connections_per_replica)
        rps = replicas * fleet.replica_vcpus * busy / app_ms * 1000
        found.append(Limit(part="database connections, without a pooler", rps=rps))
    servers: dict[Tier, tuple[str, float]] = {
        "db": ("database CPU", fleet.database_vcpus),
        "cache": ("cache, one thread", 1.0),  # Valkey executes commands on one core, whatever the server has
        "lb": ("load balancer CPU", fleet.balancer_vcpus),
        "auth": ("auth service CPU", fleet.auth_vcpus),
    }
    for tier, (part, cores) in servers.items():
        if (ms := demand.tier_ms(tier, busy)) > 0:
            found.append(Limit(part=part, rps=cores * busy / ms * 1000))
    return tuple(sorted(found, key=lambda limit: limit.rps))


def a_vcpu(demand: Demand, fleet: Fleet) -> float:
    """Rule of thumb: requests a second for each core of the whole stack, at the fleet's utilisation."""
    return fleet.utilisation / demand.total_ms(fleet.utilisation) * 1000
