"""What the records say of distance: latency by distance a strategy, who overtakes whom where, and the relay's error."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from authbench.analysis.counted import Levels, counted, observe, of_strategy, other_levels
from authbench.analysis.distance import (
    DISTANCE,
    Crossing,
    crossing,
    fits,
    mean_of,
    repetitions,
)
from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.latency import quantile_by_launch, quantiles
from authbench.analysis.line import Line
from authbench.experiments.relay.measures import DIRECT, KIND, LATE, THROUGH
from authbench.histogram import Histogram, decode, merge
from authbench.metric import METRICS, QUANTILES
from authbench.observed import Observation
from authbench.records import Contender, Trial

COUNTS = ("statements_per_request", "cache_commands_per_request")
SHOWN = ("p50", "p90", "p99")  # of the relay's error


@dataclass(frozen=True, slots=True)
class Course:
    """One strategy at one rate, over all distances."""

    strategy: str
    location: str
    freshness: str
    rate_rps: float
    p50_ms: Mapping[float, Estimate]  # distance -> p50 of latency
    lines: Mapping[int, Line]  # repetition -> fitted to its p50s
    slope: Estimate | None  # ms of latency a ms of round trip
    at_zero_ms: Estimate | None
    exchanges: float | None  # SQL statements and cache commands a request, as the stores counted them
    agree: bool  # every window counted the same
    capacity_rps: Mapping[float, Estimate]  # distance -> right answers a second, saturated

    @property
    def line(self) -> Line | None:
        """The mean line."""
        return None if self.slope is None or self.at_zero_ms is None else Line(self.at_zero_ms.value, self.slope.value)

    @property
    def half_ms(self) -> float | None:
        """The distance from which on more than half of the latency is waiting for round trips; None: none."""
        return self.line.at_zero / self.line.slope if self.line and (self.exchanges or 0) >= 1 else None

    @property
    def bend_ms(self) -> float | None:
        """How far the p50 farthest from the line is from it."""
        line = self.line
        return max(abs(p50.value - line.at(d)) for d, p50 in self.p50_ms.items()) if line and self.p50_ms else None


@dataclass(frozen=True, slots=True)
class Overtaking:
    """Below `at` the one is faster, beyond it the other: fewer exchanges make up for what it costs besides."""

    near: Course
    far: Course
    at: Crossing

    @property
    def told(self) -> bool:
        """Whether the records tell where: the interval has two ends, the farther of them within what was measured."""
        return self.at.low is not None and self.at.high is not None and self.at.high <= max(self.near.p50_ms)

    @property
    def from_the_start(self) -> bool:
        """Whether the far one may have been as fast at the nearest distance already."""
        return self.at.low is not None and self.at.low <= min(self.near.p50_ms)


@dataclass(frozen=True, slots=True)
class RelayError:
    """What the relay added beyond what it was set to, at one distance, in µs: quantiles of all launches' exchanges."""

    distance_ms: float
    store: str
    pressure: str
    launches: int
    error_us: Mapping[str, float]
    late_us: Mapping[str, float]  # after a chunk was due until the relay handed it on: its own part of the error
    early: int


def settings_of(trials: Iterable[Trial]) -> list[Levels]:
    """What else varies than strategy, load and distance: courses are of one of these."""
    return sorted({_without_distance(trial) for trial in trials if DISTANCE in trial.cell}, key=str)


def courses(contenders: Sequence[Contender], trials: Sequence[Trial], setting: Levels) -> tuple[Course, ...]:
    """Of every strategy with latencies at the lowest rate at two distances or more, in the manifest's order."""
    place = repetitions(trials)
    here = [trial for trial in counted(trials) if DISTANCE in trial.cell and _without_distance(trial) == setting]
    rates = {str(trial.cell["load"]): trial.load.target_rps or 0.0 for trial in here if trial.load.model == "rate"}
    if not rates:
        return ()
    load = min(rates, key=lambda each: rates[each])
    made = (_course(each, of_strategy(here, each.name), load, place) for each in contenders)
    return tuple(course for course in made if course is not None)


def overtakings(shown: Sequence[Course]) -> tuple[Overtaking, ...]:
    """Pairs whose lines cross at a distance that was measured, nearest first.

    Those that make as many exchanges are left out: their lines are parallel but for noise.
    """
    found = []
    for pair in combinations(shown, 2):
        near, far = sorted(pair, key=lambda each: -(each.exchanges or 0.0))
        at = crossing(near.lines, far.lines)
        if at is None or near.exchanges == far.exchanges or not near.p50_ms or near.at_zero_ms is None:
            continue
        if min(near.p50_ms) <= at.at_ms <= max(near.p50_ms):
            found.append(Overtaking(near, far, at))
    return tuple(sorted(found, key=lambda each: each.at.at_ms))


def relay_errors(observations: Iterable[Observation]) -> tuple[RelayError, ...]:
    """By distance, store and what others did meanwhile; samples of all launches are merged."""
    groups: dict[tuple[float, str, str], list[Observation]] = {}
    for each in observations:
        if each.kind == KIND and each.valid and {DIRECT, THROUGH, LATE} <= each.histograms.keys():
            key = (float(each.levels[DISTANCE]), str(each.levels["store"]), str(each.levels["pressure"]))
            groups.setdefault(key, []).append(each)
    return tuple(_relay_error(key, rows) for key, rows in sorted(groups.items()))


def _relay_error(key: tuple[float, str, str], rows: Sequence[Observation]) -> RelayError:
    direct, through, late = (merge(decode(row.histograms[name]) for row in rows) for name in (DIRECT, THROUGH, LATE))
    expected_us = (direct.quantile_us(QUANTILES["p50"]) or 0.0) + key[0] * 1000
    errors = {name: (through.quantile_us(QUANTILES[name]) or 0.0) - expected_us for name in SHOWN}
    lateness = {name: late.quantile_us(QUANTILES[name]) or 0.0 for name in SHOWN}
    return RelayError(*key, len(rows), errors, lateness, int(sum(row.values.get("early") or 0 for row in rows)))


def _course(contender: Contender, trials: Sequence[Trial], load: str, place: Mapping[int, int]) -> Course | None:
    rated = [trial for trial in trials if trial.cell["load"] == load]
    by_distance = _by_distance(rated)
    measured = {
        distance: {place[launch]: value for launch, value in quantile_by_launch(rows, QUANTILES["p50"]).items()}
        for distance, rows in by_distance.items()
    }
    measured = {distance: values for distance, values in measured.items() if values}
    if len(measured) < 2:
        return None
    lines = fits(measured)
    counts = [_exchanges(trial) for trial in trials]
    known = [count for count in counts if count is not None]
    capacity = {
        distance: estimate
        for distance, rows in _by_distance(trials).items()
        if (estimate := mean(observe(rows, "capacity_rps"), "requests/s")) is not None
    }
    return Course(
        strategy=contender.name,
        location=contender.location,
        freshness=contender.freshness,
        rate_rps=max(trial.load.target_rps or 0.0 for trial in rated),
        p50_ms={distance: _p50(by_distance[distance]) for distance in measured},
        lines=lines,
        slope=mean_of({each: line.slope for each, line in lines.items()}, "ms/ms"),
        at_zero_ms=mean_of({each: line.at_zero for each, line in lines.items()}, "ms"),
        exchanges=sum(known) / len(known) if known else None,
        agree=len(set(known)) <= 1,
        capacity_rps=capacity,
    )


def _p50(trials: Sequence[Trial]) -> Estimate:
    by_launch: dict[int, list[Histogram]] = {}
    for trial in trials:
        by_launch.setdefault(trial.launch, []).append(decode(trial.load.latency_hist))
    return quantiles([merge(rows) for _, rows in sorted(by_launch.items())])["p50"].value


def _exchanges(trial: Trial) -> float | None:
    found = [METRICS[name].of(trial) for name in COUNTS]
    return None if all(value is None for value in found) else sum(value or 0.0 for value in found)


def _by_distance(trials: Iterable[Trial]) -> dict[float, list[Trial]]:
    found: dict[float, list[Trial]] = {}
    for trial in trials:
        found.setdefault(float(trial.cell[DISTANCE]), []).append(trial)
    return dict(sorted(found.items()))


def _without_distance(trial: Trial) -> Levels:
    return tuple((name, level) for name, level in other_levels(trial) if name != DISTANCE)
