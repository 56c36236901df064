"""Latency against distance: a straight line a strategy, and where two of them cross, with intervals over launches.

A request that waits for a store k times waits k round trips more where the store is one round trip farther, so latency
is a + k·d: the slope is what the request's exchanges look like from outside. Every repetition of the distances is
fitted by itself and the repetitions give the intervals. Where two lines cross, x = -Δa/Δk, is a ratio of two estimates:
its interval is Fieller's (E. C. Fieller, J. R. Statist. Soc. B 16, 1954), which covers what it says for any spread, and
has no end where the slopes cannot be told apart.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.special import stdtrit

from authbench.analysis.counted import other_levels
from authbench.analysis.estimate import CONFIDENCE, Estimate, Observation, mean
from authbench.analysis.line import Line, fit
from authbench.records import Trial

DISTANCE = "distance_ms"


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where two lines cross: below it the one is faster, beyond it the other. No interval: low and high are None."""

    at_ms: float
    low: float | None
    high: float | None
    n: int  # repetitions


def repetitions(trials: Iterable[Trial]) -> dict[int, int]:
    """Launch -> which repetition of its deployment it was, from 0: every distance has launches of its own.

    `trials`: all of the run, those that do not count too, or a launch that failed would shift those after it.
    """
    launches: dict[tuple[object, ...], set[int]] = {}
    for trial in trials:
        launches.setdefault(other_levels(trial), set()).add(trial.launch)
    return {launch: place for group in launches.values() for place, launch in enumerate(sorted(group))}


def fits(measured: Mapping[float, Mapping[int, float]]) -> dict[int, Line]:
    """Repetition -> its line, from distance -> repetition -> ms.

    A repetition that lacks the nearest or the farthest distance is left out: its line would be an extrapolation.
    """
    if len(measured) < 2:
        return {}
    ends = measured[min(measured)].keys() & measured[max(measured)].keys()
    found = {}
    for each in sorted(ends):
        line = fit({distance: values[each] for distance, values in measured.items() if each in values})
        if line is not None:
            found[each] = line
    return found


def mean_of(values: Mapping[int, float], unit: str) -> Estimate | None:
    """The mean over repetitions with its t-interval; None where there is none."""
    return mean((Observation(each, 0, value) for each, value in values.items()), unit)


def crossing(one: Mapping[int, Line], other: Mapping[int, Line]) -> Crossing | None:
    """Where the lines cross, paired by repetition; None where they have none in common or are parallel."""
    both = sorted(one.keys() & other.keys())
    rises = [one[each].at_zero - other[each].at_zero for each in both]
    slopes = [one[each].slope - other[each].slope for each in both]
    if not both or fmean(slopes) == 0:
        return None
    low, high = _fieller(rises, slopes) or (None, None)
    return Crossing(-fmean(rises) / fmean(slopes), low, high, len(both))


def _fieller(rises: Sequence[float], slopes: Sequence[float]) -> tuple[float, float] | None:
    """The distances at which mean rise + distance × mean slope cannot be told from 0; None where they have no end."""
    n = len(rises)
    if n < 2:
        return None
    a, b = fmean(rises), fmean(slopes)
    factor = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) ** 2 / (n * (n - 1))
    aa = factor * math.fsum((each - a) ** 2 for each in rises)
    bb = factor * math.fsum((each - b) ** 2 for each in slopes)
    ab = factor * math.fsum((x - a) * (y - b) for x, y in zip(rises, slopes, strict=True))
    square, linear, rest = b * b - bb, a * b - ab, a * a - aa
    under = linear * linear - square * rest
    if square <= 0 or under < 0:
        return None
    root = math.sqrt(under)
    return (-linear - root) / square, (-linear + root) / square
