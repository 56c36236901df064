"""A straight line through a few points."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Line:
    """`at_zero`, and `slope` more for each one more; units are the values' own."""

    at_zero: float
    slope: float

    def at(self, place: float) -> float:
        """The line's value there."""
        return self.at_zero + self.slope * place


def fit(points: Mapping[int, float] | Mapping[float, float]) -> Line | None:
    """The least-squares line through place -> value; None for fewer than two places."""
    if len(points) < 2:
        return None
    x, y = list(points), list(points.values())
    middle = fmean(x)
    slope = math.fsum((a - middle) * b for a, b in zip(x, y, strict=True)) / math.fsum((a - middle) ** 2 for a in x)
    return Line(fmean(y) - slope * middle, slope)


def slopes(by_launch: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    """Launch -> slope of its line, of those that have one."""
    return {launch: line.slope for launch, points in by_launch.items() if (line := fit(points)) is not None}
