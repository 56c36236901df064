"""What the records say of the application as a function: a course a strategy, as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.estimate import Observation as Value
from authbench.analysis.settled import settled
from authbench.experiments.serverless import measures
from authbench.observed import Measure, Observation
from authbench.records import Manifest

KIND = "serverless"
ALONE = 1  # concurrency at which cold and warm requests are measured


@dataclass(frozen=True, slots=True)
class Counted:
    """A count of the last launch, and whether all launches counted the same."""

    value: float
    agree: bool


@dataclass(frozen=True, slots=True)
class Warm:
    """Requests after the first, at one CONN_MAX_AGE. Times are None where every window was disturbed."""

    p50_ms: Estimate | None
    cpu_ms: Estimate | None
    statements: Counted
    commands: Counted
    calls: Counted
    opened: Counted  # database connections


@dataclass(frozen=True, slots=True)
class Burst:
    """A number of requests at once, at one CONN_MAX_AGE, and the frozen instances after it."""

    instances: Counted
    cold_starts: Counted
    most_at_once: Counted  # in an instance
    held: Counted  # connections to the database
    held_cache: Counted
    slowest_ms: Estimate | None


@dataclass(frozen=True, slots=True)
class Ended:
    """What a thawed instance answers when the database has ended its connection meanwhile."""

    held_before: Counted
    held_after: Counted
    status: Counted
    next_status: Counted
    first_ms: Estimate | None


@dataclass(frozen=True, slots=True)
class Functions:
    """One strategy. Cold starts are those of first instances, at every CONN_MAX_AGE: nothing is kept before them."""

    strategy: str
    location: str
    freshness: str
    launches: int
    cold_ms: Estimate | None
    phases_ms: Mapping[str, Estimate]  # measure -> what there was of it; together `cold_ms`
    cold_cpu_ms: Estimate | None
    first_ms: Estimate | None
    resident_mb: Estimate | None
    cold_calls: Counted
    warm: Mapping[int, Warm]  # by CONN_MAX_AGE
    bursts: Mapping[int, Mapping[int, Burst]]  # by CONN_MAX_AGE and concurrency
    ended: Mapping[str, Ended]  # by "on" and "off" of health checks; empty where it holds no connection

    @property
    def held_each(self) -> float:
        """Connections to the database that a frozen instance holds at the longest CONN_MAX_AGE."""
        at = self.bursts[max(self.bursts)]
        most = at[max(at)]
        return most.held.value / most.instances.value


def functions(manifest: Manifest, observations: Iterable[Observation]) -> tuple[Functions, ...]:
    """Strategies in the manifest's order. Empty where nothing of the kind was observed."""
    by_strategy: dict[str, list[Observation]] = {}
    for each in settled(observations, _has_counts):
        by_strategy.setdefault(str(each.levels["strategy"]), []).append(each)
    return tuple(
        _functions(contender.name, contender.location, contender.freshness, by_strategy[contender.name])
        for contender in manifest.contenders
        if any(row.levels.get("concurrency") == ALONE for row in by_strategy.get(contender.name, ()))
    )


def _has_counts(each: Observation) -> bool:
    """Those with wrong answers say nothing; of disturbed ones the counts do."""
    return each.kind == KIND and all(reason.code in measures.DISTURBED for reason in each.reasons)


def _functions(strategy: str, location: str, freshness: str, rows: Sequence[Observation]) -> Functions:
    bursts: dict[int, dict[int, list[Observation]]] = {}
    for row in rows:
        if "concurrency" in row.levels:
            age, concurrency = int(row.levels["conn_max_age_s"]), int(row.levels["concurrency"])
            bursts.setdefault(age, {}).setdefault(concurrency, []).append(row)
    alone = [row for age in sorted(bursts) for row in bursts[age].get(ALONE, [])]
    phases = {each.name: _estimate(alone, each) for each in measures.PHASES}
    by_checks = {str(row.levels["health_checks"]) for row in rows if "health_checks" in row.levels}
    return Functions(
        strategy=strategy,
        location=location,
        freshness=freshness,
        launches=len({row.launch for row in rows}),
        cold_ms=_estimate(alone, measures.COLD),
        phases_ms={name: ms for name, ms in phases.items() if ms is not None},
        cold_cpu_ms=_estimate(alone, measures.COLD_CPU),
        first_ms=_estimate(alone, measures.FIRST),
        resident_mb=_estimate(alone, measures.RESIDENT, disturbed=True),
        cold_calls=_counted(alone, measures.COLD_CALLS),
        warm={age: _warm(of[ALONE]) for age, of in sorted(bursts.items()) if ALONE in of},
        bursts={age: {n: _burst(of[n]) for n in sorted(of)} for age, of in sorted(bursts.items())},
        ended={on: _ended([row for row in rows if row.levels.get("health_checks") == on]) for on in sorted(by_checks)},
    )


def _warm(rows: Sequence[Observation]) -> Warm:
    return Warm(
        p50_ms=_estimate(rows, measures.WARM),
        cpu_ms=_estimate(rows, measures.WARM_CPU),
        statements=_counted(rows, measures.STATEMENTS),
        commands=_counted(rows, measures.COMMANDS),
        calls=_counted(rows, measures.CALLS),
        opened=_counted(rows, measures.OPENED),
    )


def _burst(rows: Sequence[Observation]) -> Burst:
    return Burst(
        instances=_counted(rows, measures.INSTANCES),
        cold_starts=_counted(rows, measures.COLD_STARTS),
        most_at_once=_counted(rows, measures.AT_ONCE),
        held=_counted(rows, measures.HELD),
        held_cache=_counted(rows, measures.HELD_CACHE),
        slowest_ms=_estimate(rows, measures.BURST),
    )


def _ended(rows: Sequence[Observation]) -> Ended:
    return Ended(
        held_before=_counted(rows, measures.HELD_BEFORE),
        held_after=_counted(rows, measures.HELD_AFTER),
        status=_counted(rows, measures.THAWED_STATUS),
        next_status=_counted(rows, measures.NEXT_STATUS),
        first_ms=_estimate(rows, measures.THAWED),
    )


def _estimate(rows: Sequence[Observation], measure: Measure, *, disturbed: bool = False) -> Estimate | None:
    """Mean over launches of what counts; `disturbed`: of everything, since a busy machine does not change it."""
    values = [
        Value(row.launch, int(row.levels.get("conn_max_age_s", 0)), value)
        for row in rows
        if (row.valid or disturbed) and (value := row.values.get(measure.name)) is not None
    ]
    return mean(values, measure.unit)


def _counted(rows: Sequence[Observation], measure: Measure) -> Counted:
    values = [row.values[measure.name] or 0.0 for row in rows]
    return Counted(values[-1], len(set(values)) == 1)
