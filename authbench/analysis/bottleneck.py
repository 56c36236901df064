"""What limited a trial: one label, read from CPU and rate alone."""

from collections.abc import Mapping

from authbench.metric import STACK_TIERS
from authbench.records import Load, Tier

FULL = 0.85  # share of its cores from which a part is called the limit
REACHED = 0.99  # achieved over offered from which the plan's rate was the limit
LABELS: Mapping[Tier, str] = {
    "lb": "load balancer CPU",
    "app": "app CPU",
    "db": "database CPU",
    "cache": "cache CPU",
    "auth": "auth service CPU",
    "vault": "secret store CPU",
    "generator": "generator",
}


def limited_by(
    load: Load, cpu_s: Mapping[Tier, float], stack_cores: float, tier_cores: Mapping[Tier, float] | None = None
) -> str:
    """The label of what kept the window from being faster.

    `stack_cores`: cores that all tiers but the generator share. `tier_cores`: what a tier can use at most by itself
    (the cache's command thread: 1; an app: its processes, each of which runs Python on one core at a time).
    Answers `offered rate`, a tier, `generator`, or `waiting` where no part was busy (locks, distance, connections).
    """
    if load.model == "rate" and load.achieved_rps >= REACHED * load.offered_rps:
        return "offered rate"
    if load.window_s <= 0:
        return "waiting"
    busy = {tier: cpu_s.get(tier, 0.0) / load.window_s for tier in STACK_TIERS}
    full = [tier for tier, cores in (tier_cores or {}).items() if cores > 0 and busy.get(tier, 0.0) / cores >= FULL]
    if full:
        return LABELS[max(full, key=lambda tier: busy[tier])]
    if stack_cores > 0 and sum(busy.values()) / stack_cores >= FULL:
        return LABELS[max(busy, key=lambda tier: busy[tier])]
    return LABELS["generator"] if load.generator_busy >= FULL else "waiting"
