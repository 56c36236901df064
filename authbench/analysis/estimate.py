"""Numbers with their confidence intervals, where n is the number of launches, never of requests.

Windows are nested in launches of fresh processes and two processes of one build differ for as long as they live, so
windows are averaged within their launch first and the interval comes from the launches alone (METHOD.md).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

from scipy import stats

from authbench.records import Frozen

CONFIDENCE = 0.95
Method = Literal["t over launches", "t on logs over launches", "bootstrap over launches"]


@dataclass(frozen=True, slots=True)
class Observation:
    """One window's value of one metric for one strategy."""

    launch: int
    block: int
    value: float


class Estimate(Frozen):
    """A value with its 95 % interval over `n` launches; no bounds where n < 2."""

    value: float
    low: float | None
    high: float | None
    n: int
    unit: str
    method: Method

    def excludes(self, value: float) -> bool:
        """Whether the interval lies wholly on one side of `value`."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


class Ratio(Estimate):
    """A ratio to another strategy, with what a test against any bound needs."""

    log_mean: float
    log_sd: float | None  # between launches; None where n < 2

    def p_value(self, bound: float = 1.0, side: Literal["two", "below", "above"] = "two") -> float | None:
        """p of "the ratio is `bound`" against: another (`two`), less (`below`) or more (`above`). None where n < 2.

        Student's t on logs over launches. With no spread at all, 0 where the bound is left and 1 where it is met.
        """
        if self.log_sd is None:
            return None
        off = self.log_mean - math.log(bound)
        if self.log_sd == 0:
            return float({"two": off == 0, "below": off >= 0, "above": off <= 0}[side])
        t = off / (self.log_sd / math.sqrt(self.n))
        tail = {"two": 2 * stats.t.sf(abs(t), self.n - 1), "below": stats.t.cdf(t, self.n - 1)}
        return float(tail[side] if side in tail else stats.t.sf(t, self.n - 1))


def mean(observations: Iterable[Observation], unit: str) -> Estimate | None:
    """Arithmetic mean of launch means; None where nothing was measured."""
    values = launch_means(observations)
    if not values:
        return None
    middle, half = fmean(values), _half_width(values)
    low, high = (None, None) if half is None else (middle - half, middle + half)
    return Estimate(value=middle, low=low, high=high, n=len(values), unit=unit, method="t over launches")


def geometric_mean(observations: Iterable[Observation], unit: str) -> Estimate | None:
    """Geometric mean over launches, interval on logs; None where nothing was measured or a value is not positive."""
    logs = launch_means(observations, math.log)
    if not logs:
        return None
    middle, half = fmean(logs), _half_width(logs)
    low, high = (None, None) if half is None else (math.exp(middle - half), math.exp(middle + half))
    return Estimate(
        value=math.exp(middle), low=low, high=high, n=len(logs), unit=unit, method="t on logs over launches"
    )


def ratio(subject: Iterable[Observation], reference: Iterable[Observation]) -> Ratio | None:
    """Subject over reference: within-block log ratios, averaged within launch, geometric mean over launches.

    None where no block holds both, or a value is not positive.
    """
    logs = [fmean(values) for values in log_ratios(subject, reference).values()]
    if not logs:
        return None
    middle, half = fmean(logs), _half_width(logs)
    low, high = (None, None) if half is None else (math.exp(middle - half), math.exp(middle + half))
    return Ratio(
        value=math.exp(middle),
        low=low,
        high=high,
        n=len(logs),
        unit="×",
        method="t on logs over launches",
        log_mean=middle,
        log_sd=stdev(logs) if len(logs) > 1 else None,
    )


def difference(subject: Iterable[Observation], other: Iterable[Observation], unit: str) -> Estimate | None:
    """Subject minus other, within blocks, averaged within launch, mean over launches; None where no block has both."""
    pairs = _paired(subject, other)
    return mean((Observation(launch, block, a - b) for (launch, block), (a, b) in pairs.items()), unit)


def log_ratios(subject: Iterable[Observation], reference: Iterable[Observation]) -> dict[int, list[float]]:
    """launch -> the log ratios of its blocks. Empty where a value is not positive: it has no logarithm."""
    pairs = _paired(subject, reference)
    if any(a <= 0 or b <= 0 for a, b in pairs.values()):
        return {}
    logs: dict[int, list[float]] = {}
    for (launch, _), (a, b) in sorted(pairs.items()):
        logs.setdefault(launch, []).append(math.log(a / b))
    return logs


def log_spread(observations: Iterable[Observation]) -> float | None:
    """Standard deviation of the log between launches: what fresh processes differ by. None where n < 2."""
    logs = launch_means(observations, math.log)
    return stdev(logs) if len(logs) > 1 else None


def launch_means(observations: Iterable[Observation], scale: Callable[[float], float] = float) -> list[float]:
    """The mean of each launch's windows on `scale`, by launch. Empty on a log scale where a value is not positive."""
    rows = list(observations)
    if scale is math.log and any(row.value <= 0 for row in rows):
        return []
    grouped: dict[int, list[float]] = {}
    for row in rows:
        grouped.setdefault(row.launch, []).append(scale(row.value))
    return [fmean(values) for _, values in sorted(grouped.items())]


def _paired(
    subject: Iterable[Observation], other: Iterable[Observation]
) -> Mapping[tuple[int, int], tuple[float, float]]:
    ours = {(row.launch, row.block): row.value for row in subject}
    theirs = {(row.launch, row.block): row.value for row in other}
    return {key: (ours[key], theirs[key]) for key in sorted(ours.keys() & theirs.keys())}


def _half_width(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
