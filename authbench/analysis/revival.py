"""What the `revival` experiment found: ended logins that were accepted again, counted over all launches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.experiments.revival import measures
from authbench.observed import Measure, Observation

KIND = "revival"


@dataclass(frozen=True, slots=True)
class Counts:
    """Observations of one combination of levels: counts are added over launches."""

    launches: int
    _sums: Mapping[str, float]

    def of(self, measure: Measure) -> int:
        """The count; 0 where it was not observed."""
        return round(self._sums.get(measure.name, 0.0))


@dataclass(frozen=True, slots=True)
class After:
    """Logouts of one strategy, and what was accepted after an event."""

    strategy: str
    event: str
    asked: str  # the endpoint that told
    counts: Counts
    oldest_ms: float | None  # longest from an undone logout's answer to a crash; None: none was undone, or no crash

    @property
    def revived(self) -> int:
        """Acknowledged logouts whose credential was accepted."""
        return self.counts.of(measures.REVIVED)


@dataclass(frozen=True, slots=True)
class Place:
    """One operation that a request was stopped in front of."""

    number: int
    store: str
    operation: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Stopped:
    """One request of one strategy, stopped in front of each of its operations in turn."""

    part: str  # `race`: a logout overtook it; `twice`: its like did; `half`: the operation's store was gone
    strategy: str
    request: str
    asked: str
    places: tuple[Place, ...]

    def total(self, measure: Measure) -> int:
        """The count over all places."""
        return sum(place.counts.of(measure) for place in self.places)

    def where(self, *any_of: Measure) -> tuple[Place, ...]:
        """Places where one of these was counted."""
        return tuple(place for place in self.places if any(place.counts.of(measure) for measure in any_of))

    @property
    def launches(self) -> int:
        """Of the place that was tried in fewest."""
        return min(place.counts.launches for place in self.places)


def after_events(observations: Iterable[Observation]) -> tuple[After, ...]:
    """A row for each strategy and event, by strategy."""
    found = []
    for rows in _grouped(observations, "event"):
        levels = rows[0].levels
        oldest = [at for row in rows if (at := row.values.get(measures.OLDEST_MS.name)) is not None]
        found.append(
            After(
                strategy=str(levels["strategy"]),
                event=str(levels["event"]),
                asked=str(levels["asked"]),
                counts=_counts(rows),
                oldest_ms=max(oldest, default=None),
            )
        )
    return tuple(sorted(found, key=lambda each: each.strategy))


def stopped(observations: Iterable[Observation], part: str) -> tuple[Stopped, ...]:
    """A row for each strategy and request of that part, by strategy; its places in the request's order."""
    requests: dict[tuple[str, str, str], list[Place]] = {}
    for rows in _grouped(observations, part):
        levels = rows[0].levels
        key = (str(levels["strategy"]), str(levels["request"]), str(levels["asked"]))
        place = Place(int(levels["step"]), str(levels["store"]), str(levels["operation"]), _counts(rows))
        requests.setdefault(key, []).append(place)
    return tuple(
        Stopped(part, strategy, request, asked, tuple(sorted(places, key=lambda place: place.number)))
        for (strategy, request, asked), places in sorted(requests.items())
    )


def _grouped(observations: Iterable[Observation], part: str) -> Iterable[Sequence[Observation]]:
    """Those of that part that count, by combination of levels: one a launch."""
    groups: dict[tuple[object, ...], list[Observation]] = {}
    for row in observations:
        if row.kind == KIND and row.valid and row.levels.get("part") == part:
            groups.setdefault(tuple(sorted(row.levels.items())), []).append(row)
    return groups.values()


def _counts(rows: Sequence[Observation]) -> Counts:
    sums: dict[str, float] = {}
    for row in rows:
        for name, value in row.values.items():
            sums[name] = sums.get(name, 0.0) + (value or 0.0)
    return Counts(len(rows), sums)
