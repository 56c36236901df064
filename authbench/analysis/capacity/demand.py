"""What one request of a workload demands of every part, by strategy, as a result folder tells it.

CPU a request is no constant: it is least where the stack is saturated, and more where processes go idle in between,
since a request that finds its part idle pays for waking it (two to three times as much in all for a token on a quiet
stack, measured). Under Poisson arrivals the share that finds it idle is 1 - U (PASTA: R. W. Wolff, Operations Research
30(2), 1982), so D(U) = saturated + waking * (1 - U), with U the busy share of the cores that the stack ran on.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from authbench.analysis.counted import Levels, counted, other_levels
from authbench.analysis.estimate import Estimate, Observation, geometric_mean
from authbench.metric import METRICS, STACK_TIERS, cpu_ms
from authbench.records import Frozen, Level, Manifest, Tier, Trial

COUNTS = {
    "statements": "statements_per_request",
    "cache_commands": "cache_commands_per_request",
    "auth_calls": "auth_calls_per_request",
    "bytes_in": "bytes_in_per_request",
    "bytes_out": "bytes_out_per_request",
}
ASKED: Mapping[Tier, str] = {"db": "statements", "cache": "cache_commands", "auth": "auth_calls"}
LEAST_IDLE = 0.1  # share; what little is idle beyond it says nothing of what an idle stack costs


class Demand(Frozen):
    """One strategy's demand for a request of one workload."""

    strategy: str
    workload: str
    levels: Mapping[str, Level]  # of the deployment that it was measured at
    cpu_ms: Mapping[Tier, Estimate]  # saturated, by tier; those that spent nothing are left out
    total_cpu_ms: Estimate
    waking_ms: Mapping[Tier, float]  # more for a request that finds everything idle; empty: no open-model windows
    fitted_on: str  # loads
    connections_per_replica: float  # peak of database connections, over the replicas measured
    statements: float
    cache_commands: float
    auth_calls: float
    bytes_in: float
    bytes_out: float

    def tier_ms(self, tier: Tier, busy: float = 1.0) -> float:
        """CPU milliseconds of that tier where `busy` of its cores' time is used; 0 where it spends none."""
        saturated = self.cpu_ms[tier].value if tier in self.cpu_ms else 0.0
        return saturated + self.waking_ms.get(tier, 0.0) * (1 - busy)

    def total_ms(self, busy: float = 1.0) -> float:
        """The same of all tiers together."""
        return sum(self.tier_ms(tier, busy) for tier in STACK_TIERS)

    def tiers(self) -> tuple[Tier, ...]:
        """Those that spend anything."""
        return tuple(tier for tier in STACK_TIERS if self.tier_ms(tier, 0.0) > 0)


def deployment_of(manifest: Manifest, trials: Sequence[Trial]) -> Mapping[str, Level]:
    """The levels beside strategy, workload and load that a plan is made from: the most replicas, else as named first.

    One deployment, since demands of different ones must not be mixed.
    """
    apart = ("strategy", "workload", "load")
    factors = {name: levels for name, levels in manifest.question.factors.items() if levels and name not in apart}
    chosen = {name: max(levels) if name == "replicas" else levels[0] for name, levels in factors.items()}
    there = {name for trial in trials for name in trial.cell}
    return {name: level for name, level in chosen.items() if name in there}


def stack_cores(manifest: Manifest) -> int:
    """Cores that the stack ran on: all but the generator's, or the only one."""
    return max(1, manifest.machine.cores - 1)


def demands(manifest: Manifest, trials: Iterable[Trial], fitted: Sequence[str] | None = None) -> tuple[Demand, ...]:
    """Every strategy's and workload's, from valid windows; in the order of the manifest.

    `fitted`: the loads that may be used, of which `saturate` must be one and an open one should be; all where None.
    """
    kept = [trial for trial in counted(trials) if fitted is None or str(trial.cell["load"]) in fitted]
    where = deployment_of(manifest, kept)
    here = [trial for trial in kept if all(trial.cell.get(name) == level for name, level in where.items())]
    found = []
    for contender in manifest.contenders:
        for workload in dict.fromkeys(str(trial.cell["workload"]) for trial in here):
            of = [t for t in here if t.strategy == contender.name and t.cell["workload"] == workload]
            if (made := _demand(contender.name, workload, of, stack_cores(manifest))) is not None:
                found.append(made)
    return tuple(found)


def _demand(strategy: str, workload: str, trials: Sequence[Trial], cores: int) -> Demand | None:
    saturated = [trial for trial in trials if trial.load.model == "saturate"]
    total = _cpu(saturated, STACK_TIERS)
    if total is None:
        return None
    means = {
        name: fmean(values) if (values := [v for t in trials if (v := METRICS[metric].of(t)) is not None]) else 0.0
        for name, metric in COUNTS.items()
    }
    # A store that no request asks spends a little all the same, and another workload's connections may still be open.
    unasked = {tier for tier, name in ASKED.items() if not means[name]}
    tiers = {tier: _cpu(saturated, (tier,)) for tier in STACK_TIERS if tier not in unasked}
    known = {tier: found for tier, found in tiers.items() if found is not None}
    peaks = [
        value / int(trial.cell.get("replicas", 1))
        for trial in trials
        if "db" not in unasked and (value := METRICS["connections_peak"].of(trial)) is not None
    ]
    levels: Levels = other_levels(saturated[0])
    return Demand(
        strategy=strategy,
        workload=workload,
        levels=dict(levels),
        cpu_ms=known,
        total_cpu_ms=total,
        waking_ms=_waking(known, [trial for trial in trials if trial.load.model == "rate"], cores),
        fitted_on=", ".join(dict.fromkeys(str(trial.cell["load"]) for trial in trials)),
        connections_per_replica=max(peaks, default=0.0),
        **means,
    )


def _waking(saturated: Mapping[Tier, Estimate], open_: Sequence[Trial], cores: int) -> dict[Tier, float]:
    """By tier, what an idle stack adds: the excess of every open window over the saturated, at its idle share."""
    found: dict[Tier, float] = {}
    for tier, estimate in saturated.items():
        excesses = [
            (spent - estimate.value) / idle
            for trial in open_
            if (spent := cpu_ms(trial, (tier,))) is not None and (idle := 1 - busy_share(trial, cores)) > LEAST_IDLE
        ]
        if excesses:
            found[tier] = fmean(excesses)
    return found


def busy_share(trial: Trial, cores: int) -> float:
    """Of the stack's cores' time in a window."""
    return sum(trial.cpu_s.get(tier, 0.0) for tier in STACK_TIERS) / (trial.load.window_s * cores)


def _cpu(trials: Sequence[Trial], tiers: tuple[Tier, ...]) -> Estimate | None:
    values = [(trial, cpu_ms(trial, tiers)) for trial in trials]
    seen = [Observation(trial.launch, trial.trial, value) for trial, value in values if value]
    return geometric_mean(seen, "ms")


def mixed(parts: Mapping[str, Demand], shares: Mapping[str, float], name: str) -> Demand:
    """The demand of a request drawn from workloads in these shares. Raises KeyError for a workload that is missing.

    CPU and counts add up; connections do not: they are the most that any of them held.
    """
    total = sum(shares.values())
    weights = {workload: share / total for workload, share in shares.items()}
    rows = [(parts[workload], weight) for workload, weight in weights.items()]
    first = rows[0][0]
    tiers: tuple[Tier, ...] = tuple(tier for tier in STACK_TIERS if any(tier in part.cpu_ms for part, _ in rows))
    return Demand(
        strategy=first.strategy,
        workload=name,
        levels=first.levels,
        cpu_ms={tier: _weighted([(part.cpu_ms.get(tier), weight) for part, weight in rows]) for tier in tiers},
        total_cpu_ms=_weighted([(part.total_cpu_ms, weight) for part, weight in rows]),
        waking_ms={tier: sum(part.waking_ms.get(tier, 0.0) * weight for part, weight in rows) for tier in tiers},
        fitted_on=first.fitted_on,
        connections_per_replica=max(part.connections_per_replica for part, _ in rows),
        **{name: sum(getattr(part, name) * weight for part, weight in rows) for name in COUNTS},
    )


def _weighted(rows: Sequence[tuple[Estimate | None, float]]) -> Estimate:
    """Bounds are weighted alike, which is wider than the truth: the parts' errors need not have one sign."""
    known = [(estimate, weight) for estimate, weight in rows if estimate is not None]
    bounded = all(each.low is not None and each.high is not None for each, _ in known)
    first = known[0][0]
    return first.model_copy(
        update={
            "value": sum(each.value * weight for each, weight in known),
            "low": sum((each.low or 0) * weight for each, weight in known) if bounded else None,
            "high": sum((each.high or 0) * weight for each, weight in known) if bounded else None,
            "n": min(each.n for each, _ in known),
        }
    )
