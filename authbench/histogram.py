"""HdrHistograms as plain values: decode, merge by addition, quantiles that know when they are not supported.

Source of the format and of the rank rule: HdrHistogram (Gil Tene); a quantile is the highest value of the bucket that
holds the nearest rank. Unit of every value: microseconds.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from hdrh.codec import HdrCookieException, HdrLengthException
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

LOWEST_US = 1
HIGHEST_US = 60_000_000
DIGITS = 3
SAMPLES_BEYOND = 50  # METHOD.md, tier 4: fewer samples beyond a quantile do not support it

_UNITS = 1 << 11  # sub-buckets at 3 significant digits: values below this are kept exactly
_HALF = _UNITS // 2


class HistogramError(ValueError):
    """Not an HdrHistogram V2 payload in base64, or one of another range or precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How often each bucket was hit. `counts` is read-only; its index is HdrHistogram's own."""

    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Samples held."""
        return int(self.counts.sum())

    def mean_us(self) -> float:
        """Mean of the samples, each at the middle of its bucket (off by at most 0.05 %); 0 where there are none."""
        hit = np.flatnonzero(self.counts)
        if not hit.size:
            return 0.0
        low, high = _bounds(hit)
        middle = low + (high - low + 1) // 2
        return float((middle * self.counts[hit]).sum() / self.counts[hit].sum())

    def spread_us(self) -> float:
        """Standard deviation of the samples; 0 where there are none."""
        hit = np.flatnonzero(self.counts)
        if not hit.size:
            return 0.0
        low, high = _bounds(hit)
        deviation = (low + high) / 2 - self.mean_us()
        return float(np.sqrt((deviation**2 * self.counts[hit]).sum() / self.counts[hit].sum()))

    def quantile_us(self, share: float) -> float | None:
        """The value that `share` (0..1) of the samples do not exceed; None where there are no samples."""
        total = self.total
        if not total:
            return None
        rank = max(int(share * total + 0.5), 1)
        index = np.searchsorted(np.cumsum(self.counts), rank)
        return float(_bounds(np.array([index]))[1][0])

    def max_us(self) -> float:
        """The upper end of the highest bucket hit; 0 where there are no samples."""
        return self.quantile_us(1.0) or 0.0

    def supports(self, share: float, beyond: int = SAMPLES_BEYOND) -> bool:
        """Whether at least `beyond` samples lie beyond the quantile."""
        return round(self.total * (1 - share), 6) >= beyond


def new_histogram() -> HdrHistogram:
    """An empty recorder of the range and precision that records use."""
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


@lru_cache(maxsize=8192)
def decode(payload: str) -> Histogram:
    """The histogram in a record. Raises HistogramError where the text is not one of ours."""
    try:
        decoded = HdrHistogram.decode(payload)
    except (HdrCookieException, HdrLengthException, ValueError, TypeError, zlib.error) as error:
        raise HistogramError(f"not an HdrHistogram V2 payload: {error}") from error
    if decoded.sub_bucket_count != _UNITS or decoded.unit_magnitude:
        raise HistogramError("a histogram of another precision: ours hold 1 µs steps and 3 significant digits")
    counts = np.frombuffer(decoded.counts, dtype=np.int64).copy()
    counts.setflags(write=False)
    return Histogram(counts)


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """All samples together: bucket by bucket addition, the only way percentiles of several trials may be had."""
    arrays = [histogram.counts for histogram in histograms]
    counts = np.zeros(max((array.size for array in arrays), default=1), dtype=np.int64)
    for array in arrays:
        counts[: array.size] += array
    counts.setflags(write=False)
    return Histogram(counts)


def upper_bounds_us(indexes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The highest value of each bucket."""
    return _bounds(indexes)[1]


def _bounds(indexes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest value of each bucket: unit steps up to 2,047, then steps that double every 1,024 buckets."""
    shift = np.maximum(indexes // _HALF - 1, 0)
    sub = np.where(indexes < _UNITS, indexes, indexes % _HALF + _HALF)
    low = np.asarray(sub << shift, dtype=np.int64)
    return low, low + (np.int64(1) << shift) - 1
