"""The capacity plan of one result folder: every strategy at every rate, what gives out first, where they cross."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from authbench.analysis.capacity.crossing import Crossing, crossings
from authbench.analysis.capacity.demand import Demand, demands, mixed
from authbench.analysis.capacity.prices import Prices
from authbench.analysis.capacity.sizing import Fleet, Limit, Sizing, a_vcpu, limits, size
from authbench.analysis.capacity.validation import HeldOut, believed, held_out, split_loads
from authbench.errors import UsageError
from authbench.records import Frozen, Manifest, Trial

DECADES = tuple(10.0**power for power in range(2, 8))
CORES, MONEY = "cores of the whole stack", "money a month"


class Planned(Frozen):
    """One strategy for one workload, or a mix of some."""

    strategy: str
    workload: str
    demand: Demand
    believed: bool  # False: shown, not extrapolated
    why_not: str
    per_vcpu_rps: float  # rule of thumb, at the fleet's utilisation
    sizings: tuple[Sizing, ...]  # empty where not believed
    limits: tuple[Limit, ...]  # what gives out first, first


class WorkloadCrossing(Crossing):
    """Two strategies that change places under one workload."""

    workload: str
    what: str


class CapacityPlan(Frozen):
    """Everything `authbench plan` says."""

    source: str  # command that measured it
    machine: str
    fleet: Fleet
    prices: Prices | None
    planned: tuple[Planned, ...]
    crossings: tuple[WorkloadCrossing, ...]
    held_out: tuple[HeldOut, ...]
    fitted_on: tuple[str, ...]
    tried_on: tuple[str, ...]


def make_plan(
    manifest: Manifest,
    trials: Iterable[Trial],
    rates_rps: Sequence[float] = DECADES,
    fleet: Fleet | None = None,
    prices: Prices | None = None,
    mix: Mapping[str, float] | None = None,
) -> CapacityPlan:
    """Plans every verified strategy. `mix`: workload -> share; without it every workload by itself.

    Raises UsageError where the folder holds no saturated windows that count, or lacks a workload of the mix.
    """
    rows, fleet = list(trials), fleet or Fleet()
    found = demands(manifest, rows)
    if not found:
        raise UsageError("no saturated windows that count: a plan needs CPU a request; run a scenario with `saturate`")
    tried = held_out(manifest, rows)
    fitted, left = split_loads(rows)
    parts: dict[tuple[str, str], tuple[str, ...]] = {(each.strategy, each.workload): (each.workload,) for each in found}
    if mix:
        found, parts = _mixed(found, mix)
    planned = tuple(
        _planned(each, parts[each.strategy, each.workload], tried, rates_rps, fleet, prices) for each in found
    )
    return CapacityPlan(
        source=manifest.command,
        machine=f"{manifest.machine.cores} cores of {manifest.machine.cpu_model}, {manifest.machine.system}",
        fleet=fleet,
        prices=prices,
        planned=planned,
        crossings=_crossings([each for each in planned if each.believed], fleet, prices),
        held_out=tried,
        fitted_on=fitted,
        tried_on=left,
    )


def _mixed(
    found: Sequence[Demand], mix: Mapping[str, float]
) -> tuple[tuple[Demand, ...], dict[tuple[str, str], tuple[str, ...]]]:
    name = " + ".join(f"{share:g} {workload}" for workload, share in mix.items())
    by_strategy: dict[str, dict[str, Demand]] = {}
    for each in found:
        by_strategy.setdefault(each.strategy, {})[each.workload] = each
    known = dict.fromkeys(each.workload for each in found)
    if missing := [workload for workload in mix if workload not in known]:
        raise UsageError(f"--mix: workload {missing[0]} was not measured; there are {', '.join(known)}")
    whole = {strategy: parts for strategy, parts in by_strategy.items() if set(mix) <= set(parts)}
    made = tuple(mixed(parts, mix, name) for parts in whole.values())
    return made, {(each.strategy, name): tuple(mix) for each in made}


def _planned(
    demand: Demand,
    workloads: tuple[str, ...],
    tried: Sequence[HeldOut],
    rates_rps: Sequence[float],
    fleet: Fleet,
    prices: Prices | None,
) -> Planned:
    may = believed(tried, demand.strategy, workloads)
    known = any(each.strategy == demand.strategy for each in tried)
    why_not = "held-out windows were foretold too badly" if known else "no window was held out to try the fit on"
    return Planned(
        strategy=demand.strategy,
        workload=demand.workload,
        demand=demand,
        believed=may,
        why_not="" if may else why_not,
        per_vcpu_rps=a_vcpu(demand, fleet),
        sizings=tuple(size(demand, rps, fleet, prices) for rps in rates_rps) if may else (),
        limits=limits(demand, fleet) if may else (),
    )


def _crossings(planned: Sequence[Planned], fleet: Fleet, prices: Prices | None) -> tuple[WorkloadCrossing, ...]:
    found = []
    for workload in dict.fromkeys(each.workload for each in planned):
        of = [each for each in planned if each.workload == workload]
        whats: dict[str, Callable[[Sizing], float]] = {CORES: lambda sizing: sizing.total_vcpus}
        if prices is not None:
            whats[MONEY] = lambda sizing: sizing.cost_per_month or 0.0
        for what, read in whats.items():
            costs = {each.strategy: _cost(each.demand, read, fleet, prices) for each in of}
            found += [WorkloadCrossing(workload=workload, what=what, **each.model_dump()) for each in crossings(costs)]
    return tuple(found)


def _cost(
    demand: Demand, read: Callable[[Sizing], float], fleet: Fleet, prices: Prices | None
) -> Callable[[float], float]:
    return lambda rps: read(size(demand, rps, fleet, prices))
