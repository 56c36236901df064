"""What the `routing` experiment found: shares of users with their intervals over launches, and latency against rate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.estimate import Observation as Value
from authbench.analysis.findings import Quantile
from authbench.analysis.latency import quantiles
from authbench.experiments.routing.measures import (
    ACHIEVED,
    BUSIEST,
    BUSY,
    LATENCY,
    LOGGED_OUT,
    MOVED,
    OFFERED,
    REFUSED,
    USERS,
)
from authbench.histogram import decode
from authbench.observed import Measure, Observation

KIND = "routing"
KEPT_UP = 0.99  # of the offered rate: below it, a queue grows
KNEE_TIMES = 5.0  # a tail so many times that of the lowest rate is the knee
TAILS = ("p99", "p90", "p50")  # the first that all points support is looked at


@dataclass(frozen=True, slots=True)
class Logins:
    """One combination of levels: shares from 0 to 1, with intervals cut off there."""

    strategy: str
    store: str  # who keeps logins: `replica`, `shared`, `client`
    method: str
    event: str
    clients: str
    logged_out: Estimate
    refused: Estimate
    moved: Estimate
    busiest: Estimate
    users: int  # of a launch


@dataclass(frozen=True, slots=True)
class Point:
    """One strategy under one method at one rate."""

    strategy: str
    method: str
    rate_share: float
    offered_rps: float
    achieved_share: float  # of the offered rate
    busy_share: float  # of the stack's cores
    quantiles: Mapping[str, Quantile]  # of all launches' samples together, in ms
    launches: int


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy's points, lowest rate first."""

    strategy: str
    method: str
    points: tuple[Point, ...]

    def knee(self, tail: str) -> Point | None:
        """The first rate that it does not keep up with, or at which the tail is five times that of the lowest rate."""
        first = self.points[0].quantiles[tail].value.value
        return next((each for each in self.points if _is_past(each, tail, first)), None)

    def before_knee(self, tail: str) -> Point | None:
        """The highest rate below the knee; None where the lowest one is past it already."""
        knee = self.knee(tail)
        below = self.points if knee is None else self.points[: self.points.index(knee)]
        return below[-1] if below else None


def logins(observations: Iterable[Observation]) -> tuple[Logins, ...]:
    """A row for each combination of strategy, store, method, event and clients, in the order first measured."""
    return tuple(_logins(rows) for rows in _grouped(observations, "logins").values())


def lines(observations: Iterable[Observation]) -> tuple[Line, ...]:
    """A line for each strategy that was loaded."""
    points = [_point(rows) for rows in _grouped(observations, "load").values()]
    named = dict.fromkeys((point.strategy, point.method) for point in sorted(points, key=lambda each: each.strategy))
    return tuple(
        Line(*name, tuple(sorted((p for p in points if (p.strategy, p.method) == name), key=lambda p: p.rate_share)))
        for name in named
    )


def tail_of(found: Sequence[Line]) -> str | None:
    """The highest quantile that at least 50 samples lie beyond at every rate of every strategy; None: not even p50."""
    points = [point for line in found for point in line.points]
    supported = (tail for tail in TAILS if all(_supports(point, tail) for point in points))
    return next(supported, None) if points else None


def _supports(point: Point, tail: str) -> bool:
    return tail in point.quantiles and point.quantiles[tail].supported


def _is_past(point: Point, tail: str, first_ms: float) -> bool:
    return point.achieved_share < KEPT_UP or point.quantiles[tail].value.value > KNEE_TIMES * first_ms


def _grouped(observations: Iterable[Observation], part: str) -> dict[tuple[object, ...], list[Observation]]:
    """Combination of levels -> the observations of that part that count, one a launch."""
    groups: dict[tuple[object, ...], list[Observation]] = {}
    for row in observations:
        if row.kind == KIND and row.valid and row.values and row.levels.get("part") == part:
            key = tuple(sorted(row.levels.items()))
            groups.setdefault(key, []).append(row)
    return groups


def _logins(rows: Sequence[Observation]) -> Logins:
    levels = {name: str(level) for name, level in rows[0].levels.items() if name != "part"}
    return Logins(
        **levels,
        logged_out=_share(rows, LOGGED_OUT),
        refused=_share(rows, REFUSED),
        moved=_share(rows, MOVED),
        busiest=_share(rows, BUSIEST),
        users=round(max(_value(row, USERS) for row in rows)),
    )


def _point(rows: Sequence[Observation]) -> Point:
    levels = rows[0].levels
    return Point(
        strategy=str(levels["strategy"]),
        method=str(levels["method"]),
        rate_share=float(levels["rate_share"]),
        offered_rps=fmean(_value(row, OFFERED) for row in rows),
        achieved_share=fmean(_value(row, ACHIEVED) for row in rows) / fmean(_value(row, OFFERED) for row in rows),
        busy_share=fmean(_value(row, BUSY) for row in rows),
        quantiles=quantiles([decode(row.histograms[LATENCY]) for row in rows]),
        launches=len(rows),
    )


def _share(rows: Sequence[Observation], measure: Measure) -> Estimate:
    found = mean([Value(row.launch, 0, _value(row, measure)) for row in rows], measure.unit)
    assert found is not None, "a group holds one observation at least"
    if found.low is None or found.high is None:
        return found
    return found.model_copy(update={"low": max(found.low, 0.0), "high": min(found.high, 1.0)})


def _value(row: Observation, measure: Measure) -> float:
    return row.values.get(measure.name) or 0.0
