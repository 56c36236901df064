"""What the model says about windows that it was not fitted on, beside what was measured there.

Demands are fitted on the saturated windows and on those of the lowest open rate; every other open rate is held out. A
run of `saturate` and one open rate alone has nothing to be tried on, and nothing is extrapolated from it.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from authbench.analysis.capacity.demand import Demand, demands, stack_cores
from authbench.analysis.capacity.laws import Station, open_response_s
from authbench.analysis.counted import counted
from authbench.histogram import decode
from authbench.metric import cpu_ms
from authbench.records import Frozen, Manifest, Trial
from authbench.scenario import rate_share

BELIEVED = 0.15  # an error of CPU a request beyond this, and nothing is extrapolated
CPU, LATENCY = "CPU a request", "mean latency"


class HeldOut(Frozen):
    """One prediction and what was measured."""

    strategy: str
    workload: str
    load: str
    what: str
    predicted_ms: float
    measured_ms: float

    @property
    def error(self) -> float:
        """Predicted over measured, less 1."""
        return self.predicted_ms / self.measured_ms - 1


def split_loads(trials: Iterable[Trial]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(loads to fit on, loads held out): `saturate` and the lowest open rate; the other open rates."""
    loads = {str(trial.cell["load"]): trial.load.model for trial in trials}
    open_ = sorted((load for load, model in loads.items() if model == "rate"), key=lambda load: rate_share(load) or 0.0)
    return ("saturate", *open_[:1]), tuple(open_[1:])


def held_out(manifest: Manifest, trials: Iterable[Trial]) -> tuple[HeldOut, ...]:
    """CPU a request and mean latency of every strategy, workload and rate that the fit did not see."""
    kept = counted(trials)
    fitted, left = split_loads(kept)
    cores = stack_cores(manifest)
    found = []
    for demand in demands(manifest, kept, fitted):
        for load in left:
            windows = [trial for trial in kept if str(trial.cell["load"]) == load and _of(trial, demand)]
            found += _tried(demand, load, windows, cores)
    return tuple(found)


def believed(found: Sequence[HeldOut], strategy: str, workloads: Iterable[str]) -> bool:
    """Whether the demands of that strategy may be extrapolated: tried on held-out windows, and the error is small.

    Latency is not asked: no figure of the plan rests on it.
    """
    for workload in workloads:
        at = [each.error for each in found if (each.strategy, each.workload, each.what) == (strategy, workload, CPU)]
        if not at or max(map(abs, at)) > BELIEVED:
            return False
    return True


def _tried(demand: Demand, load: str, windows: Sequence[Trial], cores: int) -> list[HeldOut]:
    spent = [value for trial in windows if (value := cpu_ms(trial)) is not None]
    if not spent:
        return []
    rate_rps = fmean(trial.load.offered_rps for trial in windows)
    predicted_ms = _at_rate(demand, rate_rps, cores)
    about = {"strategy": demand.strategy, "workload": demand.workload, "load": load}
    found = [HeldOut(**about, what=CPU, predicted_ms=predicted_ms, measured_ms=fmean(spent))]
    means = [mean / 1000 for trial in windows if (mean := decode(trial.load.latency_hist).mean_us()) > 0]
    response_s = open_response_s(rate_rps, [Station(predicted_ms / 1000, cores)])
    if means and math.isfinite(response_s):
        found.append(HeldOut(**about, what=LATENCY, predicted_ms=1000 * response_s, measured_ms=fmean(means)))
    return found


def _at_rate(demand: Demand, rate_rps: float, cores: int) -> float:
    """CPU milliseconds a request at that rate: D = a + w(1 - λD/cores), solved for D."""
    saturated, waking = demand.total_ms(1.0), demand.total_ms(0.0) - demand.total_ms(1.0)
    return (saturated + waking) / (1 + waking * rate_rps / 1000 / cores)


def _of(trial: Trial, demand: Demand) -> bool:
    here = trial.strategy == demand.strategy and trial.cell["workload"] == demand.workload
    return here and all(trial.cell.get(name) == level for name, level in demand.levels.items())
