"""What the gate says about a noisy figure: two stages, each on processes launched afresh. Pure.

Every launch gives one log ratio of candidate to base (see `windows`); a stage is a sample of launches. With `margin`
the largest regression allowed:

1. After stage one: `pass` where the upper bound lies below the margin.
2. Otherwise it is measured once more. `regression` only where the lower bounds of BOTH stages, each by itself, lie
   above the margin; `pass` where the upper bound over all launches lies below it; else `inconclusive`.

Bounds are Student's t on logs over launches. When a stage ends is decided by its spread and the clock, never by where
the estimate lies: from `fewest` launches on, as soon as the 95 % interval is narrower than ± `half_width` (fixed-width
sequential estimation: Chow and Robbins 1965), and at `most`. Ending where the spread happens to be small makes bounds a
little too narrow, so they are taken wider: with 92 % in each of two stages and 98 % for a pass, a build that is exactly
at the margin, the worst that may still pass, is called a regression at most 1 % of the time and passes at most 5 %; one
that has not changed is practically never called one (simulated in tests/unit/gate/test_error_rates.py).
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy import stats

from authbench.records import Frozen

FAIL_CONFIDENCE = 0.92  # one-sided, in each of two stages
PASS_CONFIDENCE = 0.98  # one-sided
SHOWN_CONFIDENCE = 0.975  # one-sided: of the 95 % interval that people read, and that ends a stage
Outcome = Literal["pass", "regression", "inconclusive", "invalid", "not compared"]


class Plan(Frozen):
    """When a stage has enough launches; fixed before the run."""

    fewest: Annotated[int, Field(ge=2)] = 8
    most: int = 40
    half_width: float = 0.01  # of the 95 % interval, in log units


class Bounds(Frozen):
    """What a sample of launches says: ratio of candidate to base with its bounds; None with fewer than two launches."""

    launches: int
    ratio: float
    lower: float | None  # at FAIL_CONFIDENCE
    upper: float | None  # at PASS_CONFIDENCE
    interval: tuple[float, float] | None  # two-sided 95 %, for people
    log_sd: float | None  # between launches


class Decision(Frozen):
    """The outcome of both stages, with the sentence behind it."""

    outcome: Outcome
    why: str
    first: Bounds | None
    second: Bounds | None = None
    all: Bounds | None = None  # over the launches of both stages


def bounds(logs: Sequence[float]) -> Bounds | None:
    """Bounds of the geometric mean ratio; None without launches."""
    if not logs:
        return None
    middle = math.fsum(logs) / len(logs)
    if len(logs) < 2:
        return Bounds(launches=1, ratio=math.exp(middle), lower=None, upper=None, interval=None, log_sd=None)
    spread = float(np.std(logs, ddof=1))
    error = spread / math.sqrt(len(logs))
    fail, passes, shown = (_t(share, len(logs) - 1) for share in (FAIL_CONFIDENCE, PASS_CONFIDENCE, SHOWN_CONFIDENCE))
    return Bounds(
        launches=len(logs),
        ratio=math.exp(middle),
        lower=math.exp(middle - fail * error),
        upper=math.exp(middle + passes * error),
        interval=(math.exp(middle - shown * error), math.exp(middle + shown * error)),
        log_sd=spread,
    )


@cache
def _t(share: float, degrees: int) -> float:
    """Student's t; calibration asks for the same few some million times."""
    return float(stats.t.ppf(share, degrees))


def enough(logs: Sequence[float], plan: Plan) -> bool:
    """Whether a stage with these launches is over, the clock aside."""
    if len(logs) >= plan.most:
        return True
    if len(logs) < plan.fewest:
        return False
    error = float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    return _t(SHOWN_CONFIDENCE, len(logs) - 1) * error <= plan.half_width


def is_below(found: Bounds | None, margin: float) -> bool:
    """Whether the regression is certainly smaller than allowed."""
    return found is not None and found.upper is not None and found.upper < 1 + margin


def is_above(found: Bounds | None, margin: float) -> bool:
    """Whether the regression is certainly larger than allowed."""
    return found is not None and found.lower is not None and found.lower > 1 + margin


def decide(first: Sequence[float], second: Sequence[float] | None, margin: float) -> Decision:
    """The verdict after one stage (`second` is None) or two. Without a second stage, `inconclusive` asks for one."""
    one = bounds(first)
    allowed = f"{100 * margin:g} %"
    if one is None or one.interval is None:
        return Decision(outcome="inconclusive", why="fewer than two launches: no interval", first=one)
    if is_below(one, margin):
        return Decision(outcome="pass", why=f"the interval lies below +{allowed}", first=one)
    if second is None:
        return Decision(outcome="inconclusive", why=f"stage one does not lie below +{allowed}", first=one)
    two, both = bounds(second), bounds([*first, *second])
    if is_above(one, margin) and is_above(two, margin):
        told = Decision(outcome="regression", why=f"both stages lie above +{allowed}", first=one, second=two, all=both)
    elif is_below(both, margin):
        told = Decision(
            outcome="pass", why=f"over both stages it lies below +{allowed}", first=one, second=two, all=both
        )
    else:
        why = f"the stages do not agree on which side of +{allowed} it lies"
        told = Decision(outcome="inconclusive", why=why, first=one, second=two, all=both)
    return told
