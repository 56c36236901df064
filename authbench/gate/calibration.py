"""How often the gate is wrong here, from launches of one build against itself. Pure.

A verdict needs some launches, a run has some more: verdicts are drawn from the run by taking its launches in random
order, again and again, through the very functions that the gate applies. Drawn verdicts share launches, so they are
far from as many as are drawn. Their rate is reported with the interval of as many as the run holds that share no
launch (Clopper and Pearson): the variance of such a rate, a U-statistic, is never larger than theirs (Hoeffding 1948).
"""

import math
import random
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from scipy import stats

from authbench.errors import InvalidRunError
from authbench.gate.decision import Decision, Outcome, Plan, bounds, decide, enough, is_below
from authbench.records import Frozen, Machine

CALIBRATION_VERSION = 1
DRAWS = 1000
SEARCH_DRAWS = 300
SIMULATED = 4000  # verdicts, about
TAIL_DEGREES = 4
FOUND = 0.95
LARGEST = 0.30  # changes are looked for up to here
LAUNCHES_A_STAGE = (3, 5, 8, 12, 20)


class Rate(Frozen):
    """Share of verdicts with an outcome, with its 95 % interval."""

    rate: float
    interval: tuple[float, float]
    independent: int  # verdicts that share no launch


class Spread(Frozen):
    """Standard deviations of the log ratio of two arms of one build."""

    between_launches: float | None  # of a launch's median round
    between_rounds: float | None  # within a launch


class CalibrationRow(Frozen):
    """What the gate is worth for one metric of one strategy on this machine."""

    strategy: str
    metric: str
    tier: int
    margin: float
    pairs: int  # launches, each with both arms
    seconds: float  # of measuring
    false_alarm_rate: float
    false_alarm_interval: tuple[float, float]
    passed_rate: float | None  # verdicts `pass` where nothing had changed; the rest is inconclusive
    injected: float | None  # as asked for; None without --inject
    injected_measured: tuple[float, float, float] | None = None  # ratio - 1 over all launches, with its interval
    found_rate: float | None
    found_interval: tuple[float, float] | None
    independent_verdicts: int
    seconds_per_verdict: float
    simulated_false_alarm_rate: float | None = None  # at the upper bound of the spread, with heavy tails
    simulated_found_rate: float | None = None
    smallest_change_found: float | None  # at the gate's own plan; None where not even LARGEST is found
    smallest_change_by_seconds: tuple[tuple[float, float | None], ...] = ()
    spread_between_launches: float | None = None
    spread_between_rounds: float | None = None


class Calibration(Frozen):
    """The file that `gate --calibration` reads."""

    calibration_version: int = CALIBRATION_VERSION
    started_utc: str
    seconds: float
    machine: Machine
    versions: Mapping[str, str]
    git_commit: str | None
    plan: Plan
    burden_turns: Mapping[str, int]  # strategy -> turns of the loop that were injected
    rows: tuple[CalibrationRow, ...]


class Verdicts(Frozen):
    """Outcomes of drawn verdicts and the launches that each took."""

    outcomes: tuple[Outcome, ...]
    launches: tuple[int, ...]

    def rate(self, outcome: Outcome, run: int) -> Rate:
        """How often; `run`: launches that there are."""
        share = fmean(each == outcome for each in self.outcomes)
        independent = max(1, int(run // fmean(self.launches)))
        return Rate(rate=share, interval=clopper_pearson(share, independent), independent=independent)


def drawn_verdicts(
    logs: Sequence[float], plan: Plan, margin: float, seed: int, draws: int = DRAWS, change: float = 0.0
) -> Verdicts:
    """Verdicts on the launches in random orders, each log ratio moved by `change`.

    A run too short for two stages of its own goes on from its start: launches then stand twice in one verdict.
    """
    order = random.Random(seed)  # noqa: S311 - a resampling
    moved = [log + math.log1p(change) for log in logs]
    found = [verdict_of(_shuffled(moved, plan, order), plan, margin) for _ in range(draws)]
    return Verdicts(outcomes=tuple(each.outcome for each, _ in found), launches=tuple(taken for _, taken in found))


def verdict_of(logs: Sequence[float], plan: Plan, margin: float) -> tuple[Decision, int]:
    """What the gate says when launches come in this order, and how many it takes."""
    first = _stage(logs, plan)
    if is_below(bounds(first), margin):
        return decide(first, None, margin), len(first)
    second = _stage(logs[len(first) :], plan)
    return decide(first, second, margin), len(first) + len(second)


def smallest_change(logs: Sequence[float], plan: Plan, margin: float, seed: int) -> float | None:
    """The smallest change of +0.1 % steps that is found FOUND of the time; None where LARGEST is not."""
    low, high = 0, round(LARGEST * 1000)
    if _found(logs, plan, margin, seed, high) < FOUND:
        return None
    while low < high:
        middle = (low + high) // 2
        if _found(logs, plan, margin, seed, middle) >= FOUND:
            high = middle
        else:
            low = middle + 1
    return high / 1000


def changes_by_seconds(
    logs: Sequence[float], margin: float, seconds_a_launch: float, seed: int
) -> tuple[tuple[float, float | None], ...]:
    """(seconds for both stages, smallest change found) for stages of a fixed number of launches."""
    return tuple(
        (
            round(2 * count * seconds_a_launch, 1),
            smallest_change(logs, Plan(fewest=count, most=count), margin, seed),
        )
        for count in LAUNCHES_A_STAGE
        if count <= len(logs)
    )


def simulated_rate(logs: Sequence[float], plan: Plan, margin: float, seed: int, change: float = 0.0) -> float | None:
    """Share of `regression` where launches differ as much as they may: a model, beside what was drawn.

    Launches are Student's t with TAIL_DEGREES degrees of freedom, scaled to the upper 95 % bound of the spread that was
    measured (chi-squared), around no change or `change`. None with fewer than two launches.
    """
    if len(logs) < 2:
        return None
    degrees = len(logs) - 1
    spread = stdev(logs) * math.sqrt(degrees / float(stats.chi2.ppf(0.05, degrees)))
    random_launches = np.random.default_rng(seed).standard_t(TAIL_DEGREES, SIMULATED * 2 * plan.fewest)
    made = random_launches * spread / math.sqrt(TAIL_DEGREES / (TAIL_DEGREES - 2)) + math.log1p(change)
    verdicts, start = [], 0
    values = made.tolist()
    while start + 2 * plan.most <= len(values):
        told, taken = verdict_of(values[start : start + 2 * plan.most], plan, margin)
        verdicts.append(told.outcome == "regression")
        start += taken
    return fmean(verdicts)


def spread_of(launches: Sequence[float], rounds: Sequence[Sequence[float]]) -> Spread:
    """`launches`: a log ratio each; `rounds`: the log ratios within each launch. Robust within (MAD), plain between."""
    within = [1.4826 * _mad(each) for each in rounds if len(each) > 2]
    return Spread(
        between_launches=stdev(launches) if len(launches) > 1 else None,
        between_rounds=fmean(within) if within else None,
    )


def clopper_pearson(share: float, of: int) -> tuple[float, float]:
    """95 % interval of a rate seen as `share` of `of` trials; a fractional count is allowed (the beta form)."""
    hits = share * of
    low = 0.0 if hits <= 0 else float(stats.beta.ppf(0.025, hits, of - hits + 1))
    high = 1.0 if hits >= of else float(stats.beta.ppf(0.975, hits + 1, of - hits))
    return low, high


def _stage(logs: Sequence[float], plan: Plan) -> list[float]:
    taken: list[float] = []
    for log in logs:
        taken.append(log)
        if enough(taken, plan):
            break
    return taken


def _shuffled(logs: Sequence[float], plan: Plan, order: random.Random) -> list[float]:
    if not logs:
        raise InvalidRunError("no launch counts, so there is nothing to draw verdicts from")
    found: list[float] = []
    while len(found) < 2 * plan.most:
        found += order.sample(logs, k=len(logs))
    return found


def _found(logs: Sequence[float], plan: Plan, margin: float, seed: int, thousandths: int) -> float:
    drawn = drawn_verdicts(logs, plan, margin, seed, SEARCH_DRAWS, thousandths / 1000)
    return fmean(outcome == "regression" for outcome in drawn.outcomes)


def _mad(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return sorted(abs(value - middle) for value in values)[len(values) // 2]
