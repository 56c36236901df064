"""Quantiles of latency over all launches (samples merged by addition, never percentiles averaged), and through blocks.

The interval of a merged quantile comes from leaving out one launch at a time (jackknife on logs, t: R. G. Miller,
Biometrika 61, 1974): of two to four launches it covered 92 to 96 % of made-up truths, where a bootstrap, which can draw
nothing beyond the launches there are, covered 50 to 88 %.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

import numpy as np

from authbench.analysis.estimate import Estimate, Located, Observation, log_ratios, ratio_of_logs
from authbench.analysis.findings import Latency, Quantile, QuantileRatio
from authbench.histogram import SAMPLES_BEYOND, Histogram, decode, merge
from authbench.metric import QUANTILES
from authbench.records import Trial

Blocks = Mapping[tuple[int, int], Histogram]  # (launch, block) -> that trial's latencies
Through = Literal["blocks", "launches"]
Timed = Literal["latency_hist", "service_hist"]


def latencies(trials: Sequence[Trial], reference: Sequence[Trial]) -> tuple[Latency, ...]:
    """One strategy's latency at every open-model load it was measured at, lowest first; counted trials only."""
    loads = {str(trial.cell["load"]) for trial in trials if trial.load.model == "rate"}
    found = (_latency(load, _at(trials, load), _at(reference, load)) for load in loads)
    return tuple(sorted(found, key=lambda latency: latency.rate_rps))


def quantiles(launches: Sequence[Histogram]) -> dict[str, Quantile]:
    """Every quantile of the merged samples. Each launch gives one histogram; the interval comes from launches."""
    together = merge(launches)
    found = {}
    for name, share in QUANTILES.items():
        value = together.quantile_us(share)
        if value is None:
            continue
        bounds = _jackknife(launches, together, share)
        found[name] = Quantile(
            value=Estimate(
                value=value / 1000,
                low=bounds[0] / 1000 if bounds else None,
                high=bounds[1] / 1000 if bounds else None,
                n=len(launches),
                unit="ms",
                method="jackknife over launches",
            ),
            supported=together.supports(share),
        )
    return found


def quantile_ratio(trials: Sequence[Trial], reference: Sequence[Trial], share: float) -> QuantileRatio | None:
    """A quantile to the reference's at one open-model load, as `quantile_logs` compares them; None where it cannot."""
    logs, through = quantile_logs(trials, reference, share)
    if not logs:
        return None
    return QuantileRatio(ratio=ratio_of_logs(logs), through=through, compared=sum(map(len, logs.values())))


def quantile_logs(
    trials: Sequence[Trial], reference: Sequence[Trial], share: float, of: Timed = "latency_hist"
) -> tuple[dict[int, list[float]], Through]:
    """launch -> log ratios of the two sides' quantiles, within blocks where at least 50 samples lie beyond it in BOTH
    trials.

    Where more launches can be compared by merging the blocks that both sides have, that is done instead, and said.
    Empty where neither way leaves a launch.
    """
    ours, theirs = _by_block(trials, of), _by_block(reference, of)
    both = {key: (ours[key], theirs[key]) for key in sorted(ours.keys() & theirs.keys())}
    merged = {
        (launch, launch): (
            merge(our for (at, _), (our, _) in both.items() if at == launch),
            merge(their for (at, _), (_, their) in both.items() if at == launch),
        )
        for launch in sorted({launch for launch, _ in both})
    }
    blocks, launches = _supported_logs(both, share), _supported_logs(merged, share)
    return (launches, "launches") if len(launches) > len(blocks) else (blocks, "blocks")


def quantile_by_launch(trials: Sequence[Trial], share: float, of: Timed = "latency_hist") -> dict[int, float]:
    """launch -> the quantile of its merged samples in ms, at one load; launches that do not support it are left out."""
    grouped: dict[int, list[Histogram]] = {}
    for trial in trials:
        grouped.setdefault(trial.launch, []).append(decode(getattr(trial.load, of)))
    merged = {launch: merge(histograms) for launch, histograms in sorted(grouped.items())}
    return {launch: _ms(each, share) for launch, each in merged.items() if each.supports(share)}


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
    ratios = {name: quantile_ratio(trials, reference, share) for name, share in QUANTILES.items()}
    p50 = ratios["p50"]
    return Latency(
        load=load,
        rate_rps=fmean(trial.load.target_rps or trial.load.offered_rps for trial in trials),
        samples=sum(histogram.total for histogram in launches),
        launches=len(launches),
        quantiles=quantiles(launches),
        service_p50_ms=(service.quantile_us(0.5) or 0.0) / 1000,
        p50_to_reference=None if p50 is None else p50.ratio,
        trials=tuple(trial.trial for trial in trials),
        to_reference={name: each for name, each in ratios.items() if each is not None},
    )


def _at(trials: Sequence[Trial], load: str) -> list[Trial]:
    return [trial for trial in trials if trial.load.model == "rate" and trial.cell["load"] == load]


def _by_block(trials: Sequence[Trial], of: Timed) -> Blocks:
    return {(trial.launch, trial.block): decode(getattr(trial.load, of)) for trial in trials}


def _supported_logs(
    pairs: Mapping[tuple[int, int], tuple[Histogram, Histogram]], share: float
) -> dict[int, list[float]]:
    enough = {key: pair for key, pair in pairs.items() if all(side.supports(share) for side in pair)}
    sides = [
        [Observation(launch, block, _ms(pair[side], share)) for (launch, block), pair in enough.items()]
        for side in (0, 1)
    ]
    return log_ratios(*sides)


def _ms(histogram: Histogram, share: float) -> float:
    return (histogram.quantile_us(share) or 0.0) / 1000


def _jackknife(launches: Sequence[Histogram], together: Histogram, share: float) -> tuple[float, float] | None:
    """The 95 % interval of the merged quantile in µs; None for one launch, or where one held all samples."""
    n = len(launches)
    size = together.counts.size
    without = [
        Histogram(together.counts - np.pad(launch.counts, (0, size - launch.counts.size))).quantile_us(share)
        for launch in launches
    ]
    value = together.quantile_us(share)
    if n < 2 or not value or not all(without):
        return None
    logs = [math.log(each) for each in without if each]
    middle = fmean(logs)
    error = math.sqrt((n - 1) / n * math.fsum((each - middle) ** 2 for each in logs))
    interval = Located(math.log(value), error, n - 1, n, 0).interval()
    return None if interval is None else (math.exp(interval[0]), math.exp(interval[1]))
