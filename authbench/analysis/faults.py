"""What the `faults` experiment found: a row a fault, strategy and engine, with its intervals and its time line."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.estimate import Observation as Value
from authbench.analysis.settled import settled
from authbench.experiments.faults.measures import (
    AFTER,
    BEFORE,
    DURING,
    FAILED,
    KEPT_LOST,
    KIND,
    LOGGED_OUT,
    MEASURES,
    REFUSED,
    TIMELINE,
    UNKNOWN,
    USERS,
)
from authbench.observed import Measure, Observation

SHARES = (BEFORE, DURING, AFTER)
BY_NAME: Mapping[str, Measure] = {each.name: each for each in MEASURES}


@dataclass(frozen=True, slots=True)
class Timeline:
    """Requests a bin of time by outcome, all launches together; times in seconds since the fault began."""

    bin_s: float
    first: int  # number of the first bin; negative: before the fault
    lasted_s: float  # mean over launches
    launches: int
    outcomes: Mapping[str, Sequence[int]]

    @property
    def starts_s(self) -> list[float]:
        """When each bin begins."""
        return [(self.first + place) * self.bin_s for place in range(len(next(iter(self.outcomes.values()))))]


@dataclass(frozen=True, slots=True)
class Suffered:
    """One strategy on one engine under one fault, over all launches that count."""

    fault: str
    part: str
    strategy: str
    engine: str  # `shop`, or `stock`: Django's own session engine in its place
    role: str  # `affected`, or `control`: the part is not on its way
    launches: int
    estimates: Mapping[str, Estimate]  # by measure; where no launch has a value, none
    missing: Mapping[str, int]  # measure -> launches without a value: not recovered within what was watched
    worst: Mapping[str, float]  # measure -> the greatest value of a launch
    timeline: Timeline
    details: Mapping[str, int]  # `failed: 503` -> requests, of all launches

    @property
    def name(self) -> str:
        """`session-cache`, or `session-cache (Django's engine)`."""
        return self.strategy if self.engine == "shop" else f"{self.strategy} (Django's engine)"

    def value(self, measure: Measure) -> float | None:
        """Mean over launches; None where there is none."""
        found = self.estimates.get(measure.name)
        return None if found is None else found.value

    @property
    def out_share(self) -> float | None:
        """Share of users who have to log in again; None where nobody could say."""
        out, users = self.value(LOGGED_OUT), self.value(USERS)
        return None if out is None or not users else out / users

    @property
    def kept_answering(self) -> bool:
        """Whether no request of any launch went wrong from the fault's beginning on, and none was answered for show."""
        return all(self.worst.get(each.name, 0.0) == 0 for each in (REFUSED, FAILED, UNKNOWN, KEPT_LOST))


def suffered(observations: Iterable[Observation]) -> tuple[Suffered, ...]:
    """A row for each fault, strategy and engine, in the order first measured; what does not count is left out."""
    groups: dict[tuple[object, ...], list[Observation]] = {}
    for row in settled([each for each in observations if each.kind == KIND], lambda _: True):
        if row.valid:
            groups.setdefault(tuple(sorted(row.levels.items())), []).append(row)
    return tuple(_suffered(rows) for rows in groups.values())


def _suffered(rows: Sequence[Observation]) -> Suffered:
    levels = {name: str(level) for name, level in rows[0].levels.items()}
    values = {name: _values(rows, name) for name in BY_NAME}
    told = [json.loads(row.series[TIMELINE]) for row in rows]
    details: Counter[str] = Counter()
    for each in told:
        details.update(each["details"])
    return Suffered(
        **levels,
        launches=len(rows),
        estimates={name: found for name, each in values.items() if (found := _estimate(name, each)) is not None},
        missing={name: len(rows) - len(each) for name, each in values.items() if len(each) < len(rows)},
        worst={name: max(each.value for each in found) for name, found in values.items() if found},
        timeline=_merged(told),
        details=dict(details.most_common()),
    )


def _values(rows: Sequence[Observation], measure: str) -> list[Value]:
    return [Value(row.launch, 0, value) for row in rows if (value := row.values.get(measure)) is not None]


def _estimate(measure: str, values: Sequence[Value]) -> Estimate | None:
    found = mean(values, BY_NAME[measure].unit) if values else None
    if found is None or found.low is None or found.high is None:
        return found
    most = 1.0 if measure in {each.name for each in SHARES} else found.high
    return found.model_copy(update={"low": max(found.low, 0.0), "high": min(found.high, most)})


def _merged(told: Sequence[Mapping[str, object]]) -> Timeline:
    """Bins are counted from the fault's beginning, so that those of launches lie on each other."""
    lines = [_Line.of(each) for each in told]
    first = min(line.first for line in lines)
    last = max(line.first + line.size for line in lines)
    outcomes = {
        outcome: [sum(line.at(outcome, place) for line in lines) for place in range(first, last)]
        for outcome in lines[0].outcomes
    }
    return Timeline(lines[0].bin_s, first, sum(line.lasted_s for line in lines) / len(lines), len(lines), outcomes)


@dataclass(frozen=True, slots=True)
class _Line:
    bin_s: float
    first: int
    lasted_s: float
    outcomes: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, told: Mapping[str, object]) -> "_Line":
        return cls(**{name: value for name, value in told.items() if name != "details"})  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        return len(next(iter(self.outcomes.values())))

    def at(self, outcome: str, place: int) -> int:
        within = 0 <= place - self.first < self.size
        return self.outcomes[outcome][place - self.first] if within else 0
