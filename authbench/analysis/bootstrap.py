"""The check on the t-interval: a bootstrap that resamples launches first, then the blocks within each.

Source: T. Hesterberg, "What Teachers Should Know About the Bootstrap" (2015), expanded percentile interval: with few
launches the plain percentile interval is too narrow by sqrt((n-1)/n) and by z against t; its tails are widened so.
"""

import math
from collections.abc import Mapping, Sequence

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
    """Means of `draws` resamples: launches with replacement, then within each its blocks with replacement."""
    random = np.random.default_rng(SEED)
    groups = [np.asarray(values, dtype=np.float64) for _, values in sorted(by_launch.items())]
    picked = random.integers(len(groups), size=(draws, len(groups)))
    means = np.empty(picked.shape, dtype=np.float64)
    for number, blocks in enumerate(groups):
        places = picked == number
        again = random.integers(blocks.size, size=(int(places.sum()), blocks.size))
        means[places] = blocks[again].mean(axis=1)
    return np.asarray(means.mean(axis=1), dtype=np.float64)


def check(ratio: Ratio, by_launch: Mapping[int, Sequence[float]], about: str) -> Caution | None:
    """A caution where the bootstrap's interval of the log ratio is not the t-interval, or cannot be had."""
    if ratio.low is None or ratio.high is None:
        return Caution(code="too-few-launches", about=about, message="one launch only: no interval")
    if ratio.n < FEWEST_LAUNCHES:
        return Caution(
            code="too-few-launches",
            about=about,
            message=f"{ratio.n} launches: too few for the bootstrap to check the interval ({FEWEST_LAUNCHES} needed)",
        )
    low, high = expanded_interval(resampled_means(by_launch), ratio.n)
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
