"""Numbers with their confidence intervals, where n is the number of launches, never of requests.

Windows are nested in launches of fresh processes and two processes of one build differ for as long as they live, so
windows are brought to one value a launch first and the interval comes from the launches alone (METHOD.md).

What is compared within blocks (`ratio`, `difference`) must also bear windows that the machine hit: a few, far off, and
on one side only. Two tools, of which the plan decides, never the values:

- a launch of three blocks or more is its MEDIAN block: a hit window has no say, and the t-interval stays exact;
- launches of one or two blocks have no median to speak of: from eight launches on, a sixth of the launches at either
  end is put aside (trimmed mean, winsorised standard error, t with h - 1 degrees of freedom: J. W. Tukey and D. H.
  McLaughlin, Sankhya A 25, 1963; K. K. Yuen, Biometrika 61, 1974).

Measured (as in tests/unit/analysis/test_coverage.py, SDs of 1.5 % between launches and 1 % between windows): with 5 %
of the windows hit by up to +50 %, 8 launches of one block give a half-width of 3.4 % where the plain mean gives 5.4 %,
16 of two blocks 2.0 % for 3.0 %, and cover 95.7 and 96.0 % for its 97.2 and 96.5 %. Where nothing is hit, trimming
costs 6 to 10 % of the width, medians 1 to 4 %. Its price in honesty: coverage 94.1 to 95.2 %, and among nine alike a
false `better` or `worse` in 5 to 6 of 100 runs. With fewer than eight launches of one or two blocks it would cost a
fifth of the width and more, so that the plain t stands there: where windows are hit, it errs to caution (97 to 98.5 %).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Literal

from scipy.special import stdtr, stdtrit

from authbench.records import Frozen

CONFIDENCE = 0.95
FEWEST_TO_TRIM = 8  # launches
TRIM_ONE_IN = 6  # at either end
BLOCKS_FOR_A_MEDIAN = 3
Method = Literal[
    "t over launches",
    "t on logs over launches",
    "trimmed t over launches",
    "trimmed t on logs over launches",
    "jackknife over launches",
    "Welch's t on logs of launch means",
    "bootstrap over launches",
]


@dataclass(frozen=True, slots=True)
class Observation:
    """One window's value of one metric for one strategy."""

    launch: int
    block: int
    value: float


@dataclass(frozen=True, slots=True)
class Located:
    """Where launches lie: their centre and its standard error with `df` degrees of freedom; no error where n < 2."""

    value: float
    error: float | None
    df: int
    n: int
    trimmed: int  # launches put aside at either end

    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; None where there is no error."""
        if self.error is None:
            return None
        half = float(stdtrit(self.df, (1 + CONFIDENCE) / 2)) * self.error
        return self.value - half, self.value + half


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
    log_sd: float | None  # between launches, none put aside; None where n < 2
    log_error: float | None = None  # standard error of log_mean; None in older summaries: log_sd / sqrt(n)
    df: float | None = None  # None in older summaries: n - 1
    trimmed: int = 0  # launches put aside at either end

    def p_value(self, bound: float = 1.0, side: Literal["two", "below", "above"] = "two") -> float | None:
        """p of "the ratio is `bound`" against: another (`two`), less (`below`) or more (`above`). None where n < 2.

        Student's t on logs over launches. With no spread at all, 0 where the bound is left and 1 where it is met.
        """
        if self.log_sd is None:
            return None
        error = self.log_sd / math.sqrt(self.n) if self.log_error is None else self.log_error
        df = self.n - 1 if self.df is None else self.df
        off = self.log_mean - math.log(bound)
        if error == 0:
            return float({"two": off == 0, "below": off >= 0, "above": off <= 0}[side])
        t = off / error
        # stdtr is Student's distribution function, without the second that scipy.stats takes for a thousand calls
        return float(2 * stdtr(df, -abs(t)) if side == "two" else stdtr(df, t if side == "below" else -t))


def mean(observations: Iterable[Observation], unit: str) -> Estimate | None:
    """Arithmetic mean of launch means; None where nothing was measured."""
    values = launch_means(observations)
    return _estimate(located(values), unit) if values else None


def geometric_mean(observations: Iterable[Observation], unit: str) -> Estimate | None:
    """Geometric mean over launches, interval on logs; None where nothing was measured or a value is not positive."""
    logs = launch_means(observations, math.log)
    if not logs:
        return None
    at = located(logs)
    low, high = _bounds(at, math.exp)
    return Estimate(value=math.exp(at.value), low=low, high=high, n=at.n, unit=unit, method="t on logs over launches")


def ratio(subject: Iterable[Observation], reference: Iterable[Observation]) -> Ratio | None:
    """Subject over reference: within-block log ratios, the median of each launch, their (trimmed) mean over launches.

    None where no block holds both, or a value has no logarithm (`no_ratio` says which). Launches count alike, however
    many of their blocks are left. Raises ValueError where a block has two values of one side (two loads, say).
    """
    by_launch = log_ratios(subject, reference)
    return ratio_of_logs(by_launch) if by_launch else None


def ratio_of_logs(by_launch: Mapping[int, Sequence[float]]) -> Ratio:
    """The ratio from launch -> log ratios of its blocks; at least one launch."""
    logs, at = centres(by_launch)
    low, high = _bounds(at, math.exp)
    return Ratio(
        value=math.exp(at.value),
        low=low,
        high=high,
        n=at.n,
        unit="×",
        method="trimmed t on logs over launches" if at.trimmed else "t on logs over launches",
        log_mean=at.value,
        log_sd=None if (plain := located(logs)).error is None else plain.error * math.sqrt(plain.n),
        log_error=at.error,
        df=at.df,
        trimmed=at.trimmed,
    )


def difference(subject: Iterable[Observation], other: Iterable[Observation], unit: str) -> Estimate | None:
    """Subject minus other, within blocks, by the same rule as `ratio`; None where no block has both."""
    by_launch: dict[int, list[float]] = {}
    for (launch, _), (a, b) in _paired(subject, other).items():
        by_launch.setdefault(launch, []).append(a - b)
    return _estimate(centres(by_launch)[1], unit) if by_launch else None


def log_ratios(subject: Iterable[Observation], reference: Iterable[Observation]) -> dict[int, list[float]]:
    """launch -> the log ratios of its blocks. Empty where a value is not positive and finite: it has no logarithm."""
    pairs = _paired(subject, reference)
    if not all(_has_log(a) and _has_log(b) for a, b in pairs.values()):
        return {}
    logs: dict[int, list[float]] = {}
    for (launch, _), (a, b) in pairs.items():
        logs.setdefault(launch, []).append(math.log(a / b))
    return logs


def no_ratio(subject: Iterable[Observation], reference: Iterable[Observation]) -> str:
    """Why `ratio` answers None, in a few words."""
    pairs = _paired(subject, reference)
    bad = [key for key, (a, b) in pairs.items() if not (_has_log(a) and _has_log(b))]
    if not bad:
        return "no block holds both sides"
    return f"{len(bad)} of {len(pairs)} blocks hold a value that is not positive and has no ratio (block {bad[0][1]})"


def log_spread(observations: Iterable[Observation]) -> float | None:
    """Standard deviation of the log between launches: what fresh processes differ by. None where n < 2."""
    logs = launch_means(observations, math.log)
    return stdev(logs) if len(logs) > 1 else None


def launch_means(observations: Iterable[Observation], scale: Callable[[float], float] = float) -> list[float]:
    """The mean of each launch's windows on `scale`, by launch. Empty on a log scale where a value has no logarithm."""
    rows = list(observations)
    if scale is math.log and not all(_has_log(row.value) for row in rows):
        return []
    grouped: dict[int, list[float]] = {}
    for row in rows:
        grouped.setdefault(row.launch, []).append(scale(row.value))
    return [fmean(values) for _, values in sorted(grouped.items())]


def centres(by_launch: Mapping[int, Sequence[float]]) -> tuple[list[float], Located]:
    """One value a launch (its median block), and where these lie. Whether launches are trimmed is the plan's doing:
    at least eight of them, most with fewer than three blocks.
    """
    values = [median(blocks) for _, blocks in sorted(by_launch.items())]
    few = median(len(blocks) for blocks in by_launch.values()) < BLOCKS_FOR_A_MEDIAN
    return values, located(values, len(values) // TRIM_ONE_IN if few and len(values) >= FEWEST_TO_TRIM else 0)


def located(values: Sequence[float], trimmed: int = 0) -> Located:
    """Mean of the values without the `trimmed` lowest and highest; the error from the winsorised values (Yuen 1974).

    With none trimmed, the plain mean and its standard error. At least one value, and two left after trimming.
    """
    n, left = len(values), len(values) - 2 * trimmed
    ordered = sorted(values)
    kept = ordered[trimmed : n - trimmed]
    value = math.fsum(kept) / left
    if n < 2:
        return Located(value, None, 0, n, 0)
    winsorised = [*[kept[0]] * trimmed, *kept, *[kept[-1]] * trimmed]
    middle = math.fsum(winsorised) / n
    squares = math.fsum((each - middle) ** 2 for each in winsorised)
    return Located(value, math.sqrt(squares / (left * (left - 1))), left - 1, n, trimmed)


def _paired(
    subject: Iterable[Observation], other: Iterable[Observation]
) -> Mapping[tuple[int, int], tuple[float, float]]:
    ours, theirs = _by_block(subject), _by_block(other)
    return {key: (ours[key], theirs[key]) for key in sorted(ours.keys() & theirs.keys())}


def _by_block(observations: Iterable[Observation]) -> dict[tuple[int, int], float]:
    found: dict[tuple[int, int], float] = {}
    for row in observations:
        if (row.launch, row.block) in found:
            raise ValueError(f"two values for launch {row.launch}, block {row.block}: compare one load at a time")
        found[row.launch, row.block] = row.value
    return found


def _has_log(value: float) -> bool:
    return 0 < value < math.inf


def _estimate(at: Located, unit: str) -> Estimate:
    low, high = _bounds(at, float)
    method: Method = "trimmed t over launches" if at.trimmed else "t over launches"
    return Estimate(value=at.value, low=low, high=high, n=at.n, unit=unit, method=method)


def _bounds(at: Located, scale: Callable[[float], float]) -> tuple[float, float] | tuple[None, None]:
    interval = at.interval()
    return (None, None) if interval is None else (scale(interval[0]), scale(interval[1]))
