"""Times to HdrHistograms: 1 µs to 60 s, 3 significant digits, integer microseconds, V2 base64."""

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

LOWEST_US = 1
HIGHEST_US = 60_000_000
DIGITS = 3
_EXACT = 2048  # values below are buckets of their own at 3 digits


def encode(times_ns: NDArray[np.int64]) -> str:
    """The histogram of the given times, as text. Every time counts once; those beyond 60 s count as 60 s."""
    histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for value, count in zip(*(column.tolist() for column in buckets(times_ns)), strict=True):
        histogram.record_value(value, count)
    return str(histogram.encode().decode("ascii"))


def buckets(times_ns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lowest value (µs) of every bucket that is hit, and how often it is hit."""
    micros = np.clip((times_ns + 500) // 1000, 0, HIGHEST_US)
    # A bucket spans 2^shift µs, so that 1,024 to 2,047 of them make one doubling.
    _, exponent = np.frexp(micros.astype(np.float64))
    shift = np.maximum(exponent - _EXACT.bit_length() + 1, 0).astype(np.int64)
    values, counts = np.unique(micros >> shift << shift, return_counts=True)
    return values, counts.astype(np.int64)
