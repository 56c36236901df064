"""Throughput against replicas: the Universal Scalability Law, fitted with intervals over launches.

X(N) = λN / (1 + σ(N - 1) + κN(N - 1)) (N. J. Gunther, "Guerrilla Capacity Planning", 2007): λ requests a second of one
replica, σ contention (what is queued for), κ coherency (what replicas tell each other). Its reciprocal is linear in
1/λ, σ/λ and κ/λ, none of which can be negative, so it is solved by non-negative least squares on relative errors: no
start values, no local minima.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from authbench.analysis.bootstrap import SEED, expanded_interval
from authbench.analysis.estimate import Estimate
from authbench.records import Frozen

DRAWS = 1000
FEWEST_LAUNCHES = 4  # of every number of replicas; fewer give no interval worth its name
FEWEST_LEVELS = 4  # three parameters, and one point left to contradict them

Throughputs = Mapping[int, Sequence[float]]  # replicas -> requests a second, one value a launch


class Usl(Frozen):
    """A fitted law. Intervals are of a bootstrap that resamples launches at every number of replicas."""

    one_rps: Estimate  # λ
    contention: Estimate  # σ
    coherency: Estimate  # κ
    held_out: int  # the greatest number of replicas, which a second fit did not see
    held_out_error: float | None  # that fit's prediction over what was measured there, less 1

    def predicted_rps(self, replicas: float) -> float:
        """Requests a second of that many replicas."""
        return law(self.one_rps.value, self.contention.value, self.coherency.value, replicas)

    @property
    def best(self) -> float | None:
        """Replicas beyond which more of them serve less; None where the fit sees no such number."""
        if not self.coherency.value or self.contention.value >= 1:
            return None
        return math.sqrt((1 - self.contention.value) / self.coherency.value)


def law(one_rps: float, contention: float, coherency: float, replicas: float) -> float:
    """X(N), requests a second."""
    return one_rps * replicas / (1 + contention * (replicas - 1) + coherency * replicas * (replicas - 1))


def fit(measured: Throughputs) -> Usl | None:
    """The law through these throughputs; None for fewer than four numbers of replicas, or a throughput of 0."""
    rows = {count: tuple(values) for count, values in sorted(measured.items()) if values}
    if len(rows) < FEWEST_LEVELS or any(value <= 0 for values in rows.values() for value in values):
        return None
    counts = np.array(list(rows), dtype=np.float64)
    found = _solve(counts, np.array([fmean(values) for values in rows.values()]))
    if found is None:
        return None
    launches = min(len(values) for values in rows.values())
    draws = _draws(counts, list(rows.values())) if launches >= FEWEST_LAUNCHES else None
    last = max(rows)
    without = _solve(counts[:-1], np.array([fmean(values) for count, values in rows.items() if count != last]))
    return Usl(
        one_rps=_estimate(found, draws, 0, launches, "requests/s"),
        contention=_estimate(found, draws, 1, launches, "1"),
        coherency=_estimate(found, draws, 2, launches, "1"),
        held_out=last,
        held_out_error=None if without is None else law(*without, last) / fmean(rows[last]) - 1,
    )


def _solve(counts: NDArray[np.float64], rates: NDArray[np.float64]) -> tuple[float, float, float] | None:
    """λ, σ, κ; None where no positive λ fits."""
    terms = np.column_stack([np.ones_like(counts), counts - 1, counts * (counts - 1)])
    weights = rates / counts  # a relative error counts alike at every number of replicas
    (inverse, contention, coherency), _ = nnls(terms * weights[:, None], np.ones_like(counts))
    if inverse <= 0:
        return None
    return float(1 / inverse), float(contention / inverse), float(coherency / inverse)


def _draws(counts: NDArray[np.float64], rows: Sequence[Sequence[float]]) -> NDArray[np.float64] | None:
    random = np.random.default_rng(SEED)
    solved = [
        _solve(counts, np.array([random.choice(np.asarray(values), len(values)).mean() for values in rows]))
        for _ in range(DRAWS)
    ]
    found = [each for each in solved if each is not None]
    return np.array(found) if len(found) > DRAWS // 2 else None


def _estimate(
    found: Sequence[float], draws: NDArray[np.float64] | None, place: int, launches: int, unit: str
) -> Estimate:
    low, high = (None, None) if draws is None else expanded_interval(draws[:, place], launches)
    return Estimate(value=found[place], low=low, high=high, n=launches, unit=unit, method="bootstrap over launches")
