"""Gates by the thousand, from made-up launches: `verdict_of` for whole arrays (test_error_rates compares the two)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from authbench.gate.decision import FAIL_CONFIDENCE, PASS_CONFIDENCE, SHOWN_CONFIDENCE, Plan

Array = NDArray[Any]
QUIET, LOUD = 0.013, 0.020  # standard deviations between launches, measured here
HIT_SHARE, HIT_BY = 0.03, 0.07


def student(rng: np.random.Generator, spread: float, shape: tuple[int, ...]) -> Array:
    """Heavy tails: Student's t with 4 degrees of freedom, whose own variance is 2."""
    return rng.standard_t(4, shape) * (spread / np.sqrt(2))


def mixture(rng: np.random.Generator, spread: float, shape: tuple[int, ...]) -> Array:
    """Few launches far off: which side was hit, base or candidate, is as likely as the other."""
    hit = (rng.random(shape) < HIT_SHARE) * rng.choice([-HIT_BY, HIT_BY], shape)
    return rng.normal(0, spread, shape) + hit


def normal(rng: np.random.Generator, spread: float, shape: tuple[int, ...]) -> Array:
    """What the bounds are made for."""
    return rng.normal(0, spread, shape)


NOISES = {"normal": normal, "heavy tails": student, "some hit": mixture}


@dataclass(frozen=True)
class Stage:
    """Launches taken, their sum and their sum of squares, a gate each."""

    taken: Array
    sums: Array
    squares: Array

    def __add__(self, other: "Stage") -> "Stage":
        return Stage(self.taken + other.taken, self.sums + other.sums, self.squares + other.squares)

    def moved(self, change: float) -> "Stage":
        """The same launches of a candidate that costs `change` more: as many, since a stage asks for spread."""
        by = np.log1p(change)
        squares = self.squares + 2 * by * self.sums + self.taken * by**2
        return Stage(self.taken, self.sums + self.taken * by, squares)

    def bound(self, share: float) -> Array:
        """Of the mean log ratio, one-sided."""
        n = self.taken
        error = np.sqrt(np.maximum(self.squares - self.sums**2 / n, 0) / (n - 1) / n)
        return self.sums / n + quantiles(share, int(n.max()))[n] * error


@cache
def quantiles(share: float, most: int) -> Array:
    """Student's t by number of launches; infinite with none to estimate a spread from."""
    return np.array([np.inf, np.inf, *stats.t.ppf(share, np.arange(1, most))])


def stage(logs: Array, plan: Plan) -> Stage:
    """Each row's launches up to where the plan has enough."""
    logs = logs[:, : plan.most]
    count = np.arange(1, plan.most + 1)
    sums, squares = logs.cumsum(axis=1), (logs**2).cumsum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.maximum(squares - sums**2 / count, 0) / (count - 1) / count)
        over = (count >= plan.fewest) & (quantiles(SHOWN_CONFIDENCE, plan.most)[1:] * error <= plan.half_width)
    over[:, -1] = True
    last, rows = over.argmax(axis=1), np.arange(len(logs))
    return Stage(last + 1, sums[rows, last], squares[rows, last])


def outcomes(one: Stage, two: Stage, margin: float) -> Array:
    """What each gate says whose stages went like this."""
    most = np.log1p(margin)
    at_once = one.bound(PASS_CONFIDENCE) < most
    above = (one.bound(1 - FAIL_CONFIDENCE) > most) & (two.bound(1 - FAIL_CONFIDENCE) > most)
    in_the_end = (one + two).bound(PASS_CONFIDENCE) < most
    return np.select([at_once, above, in_the_end], ["pass", "regression", "pass"], "inconclusive")


def joined(stages: Iterable[Stage]) -> Stage:
    """The gates of all of them."""
    parts = [(each.taken, each.sums, each.squares) for each in stages]
    return Stage(*(np.concatenate(column) for column in zip(*parts, strict=True)))
