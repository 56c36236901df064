"""Two independent runs in one number: launch values on logs, Welch's t, and exact counts.

Runs share no block, so launches are compared (B. L. Welch, Biometrika 34, 1947; scipy.stats.ttest_ind); the machine's
drift between the two runs is in the result. A ratio to the control is taken within each run's own blocks first.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Literal

from scipy import stats

from authbench.analysis.counted import Levels, observe, of_strategy, other_levels
from authbench.analysis.estimate import CONFIDENCE, Ratio, launch_means, located, log_ratios
from authbench.analysis.latency import Timed, quantile_by_launch, quantile_logs
from authbench.analysis.verdict import Verdict, invalid
from authbench.metric import METRICS, QUANTILES, Metric
from authbench.records import Trial

KINDS: Mapping[str, Timed] = {"latency": "latency_hist", "service": "service_hist"}
STILL = 1e-12  # a spread of logs under this is rounding


def welch(old: Sequence[float], new: Sequence[float]) -> Ratio | None:
    """NEW over OLD from the logs of their launches; None where a side has none, no interval where n < 2."""
    if not old or not new:
        return None
    before, after = located(old), located(new)
    middle = after.value - before.value
    found = Ratio(
        value=math.exp(middle),
        low=None,
        high=None,
        n=min(len(old), len(new)),
        unit="×",
        method="Welch's t on logs of launch means",
        log_mean=middle,
        log_sd=None,
    )
    if before.error is None or after.error is None:
        return found
    error = math.hypot(before.error, after.error)
    sd = math.sqrt((before.error**2 * len(old) + after.error**2 * len(new)) / 2)
    if error < STILL:  # the same at every launch of either side: no test can be done, and none is needed
        error, sd, df, low, high = 0.0, 0.0, float(len(old) + len(new) - 2), middle, middle
    else:
        test = stats.ttest_ind(new, old, equal_var=False)
        interval = test.confidence_interval(CONFIDENCE)
        df, low, high = float(test.df), float(interval.low), float(interval.high)
    bounds = {"low": math.exp(low), "high": math.exp(high)}
    return found.model_copy(update={**bounds, "log_sd": sd, "log_error": error, "df": df})


def launch_logs(trials: Sequence[Trial], metric: Metric) -> list[float]:
    """The log of each launch's value. Quantiles: of the launch's merged samples, where 50 lie beyond.

    Empty where a value has no logarithm, or where no launch supports the quantile. `trials`: one cell's at one load,
    or at several where the metric is of any load.
    """
    if (quantile := quantile_of(metric)) is not None:
        found = quantile_by_launch([trial for trial in trials if metric.of(trial) is not None], *quantile)
        return [math.log(value) for value in found.values() if value > 0]
    return launch_means(observe(trials, metric.name), math.log)


def control_logs(trials: Sequence[Trial], control: Sequence[Trial], metric: Metric) -> dict[int, list[float]]:
    """launch -> logs of the metric's ratio to the control's within blocks; empty where no block has both."""
    if (quantile := quantile_of(metric)) is not None:
        sides = [[trial for trial in side if metric.of(trial) is not None] for side in (trials, control)]
        return quantile_logs(sides[0], sides[1], *quantile)[0]
    return log_ratios(observe(trials, metric.name), observe(control, metric.name))


def control_ratios(
    trials: Iterable[Trial], control: str, metric: str, load: str
) -> dict[tuple[Levels, str], dict[int, list[float]]]:
    """(levels, strategy) -> launch -> logs of that metric's ratio to the control of the same run, within blocks.

    `trials`: counted ones of one run; `load`: such as `saturate` or `rate@0.3`. A strategy that shares no block with
    the control is left out, and the control itself. Free of the machine's speed: what `--baseline` and `compare` set
    side by side where two machines, or two versions of a part, were at work. `ratio_of_logs` makes a `Ratio` of one of
    them, `welch` one of two (of their launches' `medians`).
    """
    rows = [trial for trial in trials if trial.cell["load"] == load]
    found = {}
    for levels in {other_levels(trial) for trial in rows}:
        here = [trial for trial in rows if other_levels(trial) == levels]
        for strategy in sorted({trial.strategy for trial in here} - {control}):
            if logs := control_logs(of_strategy(here, strategy), of_strategy(here, control), METRICS[metric]):
                found[levels, strategy] = logs
    return found


def medians(by_launch: Mapping[int, Sequence[float]]) -> list[float]:
    """One value a launch: its median block."""
    return [median(blocks) for _, blocks in sorted(by_launch.items())]


def typical(logs: Sequence[float]) -> float | None:
    """The geometric mean of what these are the logs of; None where there are none."""
    return math.exp(fmean(logs)) if logs else None


def quantile_of(metric: Metric) -> tuple[float, Timed] | None:
    """(share, histogram) of a metric that is a quantile; None for others."""
    kind, _, rest = metric.name.partition("_")
    share = QUANTILES.get(rest.removesuffix("_ms"))
    return (share, KINDS[kind]) if kind in KINDS and share is not None else None


def exact_change(old: Sequence[float], new: Sequence[float], metric: Metric, margin: float) -> Verdict:
    """The verdict on a count that is the same at every run: any change is a change.

    Some vary within a run: which requests were drawn decides on bytes, and on statements of a mixed workload. They
    changed where the two runs' ranges have nothing in common.
    """
    if not old or not new:
        return invalid("no valid trial says anything about it")
    first, second = median(old), median(new)
    if max(old) < min(new) or max(new) < min(old):
        word: Literal["better", "worse"] = "better" if (second < first) == (metric.better == "lower") else "worse"
        share = f" ({100 * (second / first - 1):+.2g} %)" if first > 0 else ""
        return Verdict(word=word, why=f"{second - first:+.4g} {metric.unit}{share}: any change of a count is a change")
    if len({*old, *new}) == 1:
        return Verdict(word="equivalent", why=f"the same in all {len(old) + len(new)} trials")
    span = f"it varies within a run ({min(old):.4g}–{max(old):.4g}, then {min(new):.4g}–{max(new):.4g})"
    if first > 0 and all(abs(value / first - 1) <= margin for value in (*old, *new)):
        return Verdict(word="equivalent", why=f"{span}, nowhere by more than {100 * margin:.0f} %")
    return Verdict(word="inconclusive", why=f"{span}, and the ranges overlap")
