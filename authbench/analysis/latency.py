"""Quantiles of latency over all launches: samples merged by addition, never percentiles averaged."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from authbench.analysis.bootstrap import SEED, expanded_interval
from authbench.analysis.counted import observe
from authbench.analysis.estimate import Estimate, ratio
from authbench.analysis.findings import Latency, Quantile
from authbench.histogram import SAMPLES_BEYOND, Histogram, decode, merge, upper_bounds_us
from authbench.metric import QUANTILES
from authbench.records import Trial

DRAWS = 1000


def latencies(trials: Sequence[Trial], reference: Sequence[Trial]) -> tuple[Latency, ...]:
    """One strategy's latency at every open-model load it was measured at, lowest first; counted trials only."""
    loads = {str(trial.cell["load"]) for trial in trials if trial.load.model == "rate"}
    found = (_latency(load, _at(trials, load), _at(reference, load)) for load in loads)
    return tuple(sorted(found, key=lambda latency: latency.rate_rps))


def quantiles(launches: Sequence[Histogram]) -> dict[str, Quantile]:
    """Every quantile of the merged samples. Each launch gives one histogram; the interval resamples launches."""
    together = merge(launches)
    draws = _resampled(launches) if len(launches) > 1 else None
    found = {}
    for name, share in QUANTILES.items():
        value = together.quantile_us(share)
        if value is None:
            continue
        bounds = None if draws is None else _interval_us(*draws, share, len(launches))
        found[name] = Quantile(
            value=Estimate(
                value=value / 1000,
                low=min(bounds[0], value) / 1000 if bounds else None,
                high=max(bounds[1], value) / 1000 if bounds else None,
                n=len(launches),
                unit="ms",
                method="bootstrap over launches",
            ),
            supported=together.supports(share),
        )
    return found


def curve(trials: Sequence[Trial], load: str, points: int = 80) -> tuple[tuple[float, float], ...]:
    """(nines, ms) from the median as far as 50 samples lie beyond; 1 nine is p90, 2 are p99. Empty where none are."""
    together = merge(decode(trial.load.latency_hist) for trial in _at(trials, load))
    if not together.supports(QUANTILES["p50"]):
        return ()
    first, last = -math.log10(0.5), -math.log10(SAMPLES_BEYOND / together.total)
    found = []
    for nines in np.linspace(first, last, points).tolist():
        value = together.quantile_us(1 - 10**-nines)
        found.append((float(nines), (value or 0.0) / 1000))
    return tuple(found)


def _latency(load: str, trials: Sequence[Trial], reference: Sequence[Trial]) -> Latency:
    by_launch: dict[int, list[Histogram]] = {}
    for trial in trials:
        by_launch.setdefault(trial.launch, []).append(decode(trial.load.latency_hist))
    launches = [merge(histograms) for _, histograms in sorted(by_launch.items())]
    service = merge(decode(trial.load.service_hist) for trial in trials)
    rates = [trial.load.target_rps or trial.load.offered_rps for trial in trials]
    return Latency(
        load=load,
        rate_rps=sum(rates) / len(rates),
        samples=sum(histogram.total for histogram in launches),
        launches=len(launches),
        quantiles=quantiles(launches),
        service_p50_ms=(service.quantile_us(0.5) or 0.0) / 1000,
        p50_to_reference=ratio(observe(trials, "latency_p50_ms"), observe(reference, "latency_p50_ms")),
        trials=tuple(trial.trial for trial in trials),
    )


def _at(trials: Sequence[Trial], load: str) -> list[Trial]:
    return [trial for trial in trials if trial.load.model == "rate" and trial.cell["load"] == load]


def _resampled(launches: Sequence[Histogram]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Upper bounds of the buckets hit, and for each draw the samples up to each: launches drawn with replacement."""
    size = max(histogram.counts.size for histogram in launches)
    dense = np.zeros((len(launches), size), dtype=np.int64)
    for number, histogram in enumerate(launches):
        dense[number, : histogram.counts.size] = histogram.counts
    hit = np.flatnonzero(dense.sum(axis=0))
    random = np.random.default_rng(SEED)
    weights = random.multinomial(len(launches), np.full(len(launches), 1 / len(launches)), size=DRAWS)
    drawn = weights.astype(np.float64) @ dense[:, hit].astype(np.float64)
    return upper_bounds_us(hit), np.cumsum(drawn, axis=1)


def _interval_us(
    bounds: NDArray[np.int64], cumulated: NDArray[np.float64], share: float, launches: int
) -> tuple[float, float]:
    ranks = np.maximum(np.floor(share * cumulated[:, -1] + 0.5), 1)
    return expanded_interval(bounds[(cumulated < ranks[:, None]).sum(axis=1)].astype(np.float64), launches)
