"""The check on the t-interval: a bootstrap that resamples launches, each with all its blocks.

Blocks are not drawn anew within a launch that was drawn: launch values already differ by what blocks add, so drawing
twice would count it twice (A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997, section
3.8; with window noise alone and 8 blocks a launch such a check objected to 78 % of good intervals, now to under 6 %).
The interval is expanded: with few launches the plain percentile interval is too narrow by sqrt((n-1)/n) and by z
against t, so its tails are widened (T. Hesterberg, "What Teachers Should Know About the Bootstrap", 2015).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from authbench.analysis.caution import Caution
from authbench.analysis.estimate import CONFIDENCE, Ratio

DRAWS = 4000
FEWEST_LAUNCHES = 6  # below, the widened tail holds fewer than about ten of the draws
TOLERANCE = 1 / 3  # of the t-interval's half-width, at either end
SEED = 20240229  # fixed: the same records give the same report to the byte


def expanded_interval(draws: NDArray[np.float64], launches: int) -> tuple[float, float]:
    """The 95 % expanded percentile interval of bootstrap draws that resampled `launches` launches (at least 2)."""
    t = stats.t.ppf((1 + CONFIDENCE) / 2, launches - 1)
    tail = float(stats.norm.cdf(-math.sqrt(launches / (launches - 1)) * t))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def resampled_means(by_launch: Mapping[int, Sequence[float]], draws: int = DRAWS) -> NDArray[np.float64]:
    """Means of `draws` resamples: launches with replacement, each its median block."""
    random = np.random.default_rng(SEED)
    values = np.array([median(blocks) for _, blocks in sorted(by_launch.items())], dtype=np.float64)
    return np.asarray(values[random.integers(values.size, size=(draws, values.size))].mean(axis=1), dtype=np.float64)


def check(ratio: Ratio, by_launch: Mapping[int, Sequence[float]], about: str) -> Caution | None:
    """A caution where the bootstrap's interval of the log ratio is not the t-interval, or cannot be had.

    Where launches were put aside the bootstrap has them all, so its ends may well differ (that is what trimming is
    for); then either centre must lie within the other's interval.
    """
    if ratio.low is None or ratio.high is None:
        return Caution(code="too-few-launches", about=about, message="one launch only: no interval")
    if ratio.n < FEWEST_LAUNCHES:
        return Caution(
            code="too-few-launches",
            about=about,
            message=f"{ratio.n} launches: too few for the bootstrap to check the interval ({FEWEST_LAUNCHES} needed)",
        )
    low, high = expanded_interval(resampled_means(by_launch), ratio.n)
    if ratio.trimmed:
        return _apart(ratio, fmean(median(blocks) for blocks in by_launch.values()), low, high, about)
    half = (math.log(ratio.high) - math.log(ratio.low)) / 2
    off = max(abs(low - math.log(ratio.low)), abs(high - math.log(ratio.high)))
    if off <= TOLERANCE * half + 1e-9:
        return None
    return Caution(
        code="bootstrap-disagrees",
        about=about,
        message=f"t-interval {ratio.low:.3f}–{ratio.high:.3f}, bootstrap over launches "
        f"{math.exp(low):.3f}–{math.exp(high):.3f}: one launch may stand apart from the others",
    )


def _apart(ratio: Ratio, mean: float, low: float, high: float, about: str) -> Caution | None:
    """`mean`: of all launches' log ratios; `low`, `high`: its interval."""
    if not ratio.excludes(math.exp(mean)) and low - 1e-9 <= ratio.log_mean <= high + 1e-9:
        return None
    return Caution(
        code="bootstrap-disagrees",
        about=about,
        message=f"{ratio.value:.3f} with {ratio.trimmed} launches put aside at either end, {math.exp(mean):.3f} with "
        f"all (bootstrap {math.exp(low):.3f}–{math.exp(high):.3f}): some launches stand apart on one side",
    )
