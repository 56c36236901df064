"""When requests are to start: arrays of offsets in nanoseconds from the window's start, made up front.

Pure: a seed gives the same schedule on every machine, so that all cells of a block share one.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]
NS = 1_000_000_000


def constant(rate_rps: float, *, duration_s: float | None = None, count: int | None = None) -> Offsets:
    """Equal gaps of 1/rate, the first at 0: all offsets before `duration_s`, at most `count`."""
    wanted = _most(rate_rps, duration_s, count)
    offsets: Offsets = np.rint(np.arange(wanted) * (NS / rate_rps)).astype(np.int64)
    return offsets


def poisson(rate_rps: float, seed: int, *, duration_s: float | None = None, count: int | None = None) -> Offsets:
    """A Poisson process given its number of arrivals: as many as the constant schedule has, uniform over its length.

    So the gaps are exponential, but every window offers exactly its rate: at 200 arrivals a free Poisson count would
    differ by 7 % from window to window.
    """
    wanted = _most(rate_rps, duration_s, count)
    length_ns = min(wanted / rate_rps, duration_s or np.inf) * NS
    return np.sort(np.random.default_rng(seed).uniform(0, length_ns, wanted).astype(np.int64))


def arrivals(
    kind: str, rate_rps: float, seed: int, *, duration_s: float | None = None, count: int | None = None
) -> Offsets:
    """The schedule of a plan; `kind` is `constant` or `poisson`."""
    if kind == "constant":
        return constant(rate_rps, duration_s=duration_s, count=count)
    return poisson(rate_rps, seed, duration_s=duration_s, count=count)


def endless(kind: str, rate_rps: float, users: int, user: int, seed: int, since_ns: int = 0) -> Iterator[Offsets]:
    """One of `users` equal shares of a rate, from `since_ns` on and for ever, in chunks of about a second.

    Constant shares are shifted against each other by one gap of the whole rate, so that together they make the
    constant schedule of `rate_rps`; Poisson shares are independent, so that together they are Poisson again.
    """
    gap_ns = NS * users / rate_rps
    chunk = max(int(rate_rps / users), 1)
    if kind == "constant":
        first = user * NS / rate_rps
        passed = max(int(np.ceil((since_ns - first) / gap_ns)), 0)
        while True:
            yield np.rint(first + (passed + np.arange(chunk)) * gap_ns).astype(np.int64)
            passed += chunk
    draw, start = np.random.default_rng((seed, user)), since_ns
    while True:
        offsets = start + _cumulated(draw, rate_rps / users, chunk)
        start = int(offsets[-1])
        yield offsets


def _most(rate_rps: float, duration_s: float | None, count: int | None) -> int:
    if duration_s is None:
        return count or 1
    within = max(int(np.ceil(rate_rps * duration_s - 1e-9)), 1)
    return min(within, count) if count else within


def _cumulated(draw: np.random.Generator, rate_rps: float, count: int) -> Offsets:
    return np.rint(np.cumsum(draw.exponential(NS / rate_rps, count))).astype(np.int64)
