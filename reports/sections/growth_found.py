"""Observations of one kind brought together: for each combination of levels, each measure over its launches."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis import estimate
from authbench.analysis.estimate import Estimate, Ratio
from authbench.analysis.findings import Quantile
from authbench.analysis.latency import quantiles
from authbench.analysis.settled import settled
from authbench.experiments.growth.measures import KIND, LATENCY, MEASURES
from authbench.histogram import decode
from authbench.observed import Observation
from authbench.records import Level
from reports.numbers import DASH, count, half_width, ms

# Counts are the same however loud the machine is; they are read from every window that was answered rightly.
COUNTS = frozenset({"blocks", "outside", "statements", "written", "commands", "iterations", "users", "removed"})
WRONG = frozenset({"errors", "wrong-user", "no-requests"})
UNITS = {measure.name: measure.unit for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed at one combination of levels."""

    levels: Mapping[str, Level]
    values: Mapping[str, Estimate]  # measure -> mean over launches
    by_launch: Mapping[str, Mapping[int, float]]  # measure -> launch -> value
    latency: Mapping[str, Quantile]  # of all launches' samples together, in ms; empty where none counts
    launches: int  # that count
    reasons: Mapping[str, int]  # code -> observations that do not count for it

    @property
    def strategy(self) -> str:
        """Its name."""
        return str(self.levels["strategy"])

    @property
    def rows(self) -> int:
        """Stored logins."""
        return int(self.levels["rows"])

    @property
    def expired(self) -> float:
        """Ended ones among them, 0 to 1."""
        return float(self.levels["expired"])

    def value(self, measure: str) -> float | None:
        """The mean alone."""
        found = self.values.get(measure)
        return None if found is None else found.value


def seen(observations: Iterable[Observation], *having: str) -> tuple[Seen, ...]:
    """Of those whose levels have all these factors, in the order first seen. What was observed again counts last."""
    groups: dict[tuple[tuple[str, Level], ...], list[Observation]] = {}
    for each in settled(observations, lambda each: each.kind == KIND and all(f in each.levels for f in having)):
        groups.setdefault(tuple(sorted(each.levels.items())), []).append(each)
    return tuple(_seen(group) for group in groups.values())


def ratio(subject: Seen, reference: Seen, measure: str) -> Ratio | None:
    """Subject over reference within launches; None where no launch has both."""
    sides = [
        [estimate.Observation(launch, 0, value) for launch, value in each.by_launch.get(measure, {}).items()]
        for each in (subject, reference)
    ]
    return estimate.ratio(*sides)


def why_not(several: Iterable[Seen]) -> str:
    """Reasons that observations do not count for, with how many; empty where all do."""
    codes: Counter[str] = Counter()
    for each in several:
        codes.update(each.reasons)
    return ", ".join(f"{code} {number}" for code, number in codes.most_common())


def told(value: Estimate | None) -> str:
    """A mean with half its interval; a count alone where all launches agree."""
    if value is None:
        return DASH
    half = half_width(value)
    if half is None or half == 0:
        return count(value.value) if half == 0 else ms(value.value)
    return f"{ms(value.value)} ± {ms(half)}"


def size(value: float | None) -> str:
    """Bytes in the greatest unit that leaves a whole number (SI: 1 MB is 1,000,000 bytes)."""
    if value is None:
        return DASH
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {unit}" if abs(value) < 1000 * limit else f"{value / limit:,.0f} {unit}"
    return f"{value:.0f} bytes"


def _seen(group: Sequence[Observation]) -> Seen:
    by_launch: dict[str, dict[int, float]] = {}
    for each in group:
        for name, value in each.values.items():
            exact = name in COUNTS and not any(reason.code in WRONG for reason in each.reasons)
            if value is not None and (each.valid or exact):
                by_launch.setdefault(name, {})[each.launch] = value
    values = {}
    for name, found in by_launch.items():
        rows = [estimate.Observation(launch, 0, value) for launch, value in found.items()]
        mean = estimate.mean(rows, UNITS.get(name, ""))
        if mean is not None:
            values[name] = mean
    valid = [each for each in group if each.valid]
    histograms = [decode(each.histograms[LATENCY]) for each in valid if LATENCY in each.histograms]
    return Seen(
        levels=group[0].levels,
        values=values,
        by_launch=by_launch,
        latency=quantiles(histograms) if any(each.total for each in histograms) else {},
        launches=len(valid),
        reasons=Counter(code for each in group for code in {reason.code for reason in each.reasons}),
    )
