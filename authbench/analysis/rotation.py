"""What the `rotation` experiment found: counts over all launches, times with their intervals, and one timeline each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.estimate import Observation as Value
from authbench.analysis.settled import settled
from authbench.experiments.rotation import measures
from authbench.experiments.rotation.plan import WAYS
from authbench.experiments.rotation.timeline import Timeline
from authbench.observed import Measure, Observation

KIND = "rotation"
FAMILIES = ("hs256", "secret key", "jwks")


@dataclass(frozen=True, slots=True)
class Rotated:
    """One combination of levels. Counts are totals over its launches: the same users do the same in each."""

    strategy: str
    key: str  # the family: `hs256`, `secret key`, `jwks`
    way: str
    page: int
    secrets: str
    launches: int
    requests: int
    wrongly: int
    wrongly_share: Estimate  # of requests, from 0 to 1
    wrong_launches: int  # launches in which there was one
    refused: int  # with the old key, after its time
    lost: int  # failed or never answered
    logins: int
    renewing: int
    out_renewing: int
    keeping: int
    out_keeping: int
    out_new: int
    mixed: Estimate | None  # None: they read one file, each when it needs to
    old_refused: Estimate | None
    timeline: Timeline | None  # of the first launch

    @property
    def out(self) -> int:
        """Users logged in when it began, who had to log in again."""
        return self.out_renewing + self.out_keeping

    @property
    def users(self) -> int:
        """Users logged in when it began."""
        return self.renewing + self.keeping


def rotations(observations: Iterable[Observation]) -> tuple[Rotated, ...]:
    """A row for each combination that was observed: by key, strategy, page, secrets, and ways in their own order."""
    groups: dict[tuple[object, ...], list[Observation]] = {}
    for row in settled(observations, lambda each: each.kind == KIND and bool(each.values)):
        if row.valid:
            groups.setdefault(tuple(sorted(row.levels.items())), []).append(row)
    return tuple(sorted((_rotated(rows) for rows in groups.values()), key=_place))


def _place(row: Rotated) -> tuple[object, ...]:
    ways = [*WAYS, row.way]
    return ([*FAMILIES, row.key].index(row.key), row.strategy, row.page, row.secrets, ways.index(row.way))


def _rotated(rows: Sequence[Observation]) -> Rotated:
    levels = rows[0].levels
    return Rotated(
        strategy=str(levels["strategy"]),
        key=str(levels["key"]),
        way=str(levels["way"]),
        page=int(levels["page"]),
        secrets=str(levels["secrets"]),
        launches=len(rows),
        requests=_total(rows, measures.REQUESTS),
        wrongly=_total(rows, measures.WRONGLY),
        wrongly_share=_share(rows),
        wrong_launches=sum(_value(row, measures.WRONGLY) > 0 for row in rows),
        refused=_total(rows, measures.RIGHTLY),
        lost=_total(rows, measures.FAILED) + _total(rows, measures.UNKNOWN),
        logins=_total(rows, measures.LOGINS),
        renewing=_total(rows, measures.RENEWING),
        out_renewing=_total(rows, measures.OUT_RENEWING),
        keeping=_total(rows, measures.KEEPING),
        out_keeping=_total(rows, measures.OUT_KEEPING),
        out_new=_total(rows, measures.OUT_NEW),
        mixed=_estimate(rows, measures.MIXED),
        old_refused=_estimate(rows, measures.OLD_REFUSED),
        timeline=_timeline(min(rows, key=lambda row: row.launch)),
    )


def _timeline(row: Observation) -> Timeline | None:
    text = row.series.get(measures.TIMELINE)
    return None if text is None else Timeline.load(text)


def _share(rows: Sequence[Observation]) -> Estimate:
    shares = [Value(row.launch, 0, _value(row, measures.WRONGLY) / _value(row, measures.REQUESTS)) for row in rows]
    found = _needed(mean(shares, "share of requests"))
    if found.low is None or found.high is None:
        return found
    return found.model_copy(update={"low": max(found.low, 0.0), "high": min(found.high, 1.0)})


def _estimate(rows: Sequence[Observation], measure: Measure) -> Estimate | None:
    seen = [Value(row.launch, 0, value) for row in rows if (value := row.values.get(measure.name)) is not None]
    found = mean(seen, measure.unit)
    if found is None or found.low is None:
        return found
    return found.model_copy(update={"low": max(found.low, 0.0)})  # no time is less than none


def _needed(found: Estimate | None) -> Estimate:
    assert found is not None, "a group holds one observation at least"
    return found


def _total(rows: Sequence[Observation], measure: Measure) -> int:
    return round(sum(_value(row, measure) for row in rows))


def _value(row: Observation, measure: Measure) -> float:
    return row.values.get(measure.name) or 0.0
