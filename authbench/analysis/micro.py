"""What micro-benchmarks say: microseconds with their interval over launches, the distance from the floor, a verdict.

A launch gives one value a benchmark, the median of its rounds; launches are processes started afresh, so that neither
memory layout nor hash seed of one process decides. Ratios are taken within a launch.
"""

from collections.abc import Iterable, Sequence

from authbench.analysis.estimate import Estimate, Observation, Ratio, geometric_mean, ratio
from authbench.analysis.verdict import Verdict, holm, judge
from authbench.micro.timings import Timing
from authbench.records import Frozen

MARGIN = 0.05  # differences within 5 % are called none
FLOORS = ("floor", "none")  # the least that is possible here; of logins, the endpoint without one
REFERENCES = ("PyJWT", "session-db")


class MicroRow(Frozen):
    """One subject of one group."""

    group: str
    subject: str
    version: str
    time: Estimate  # µs
    least_us: float  # the shortest round of all launches
    size_bytes: int | None
    to_floor: Ratio | None  # None: the group has no floor, or this is it
    to_reference: Ratio | None  # None: the group has no reference, or this is it
    verdict: Verdict | None  # against the reference


def micro_rows(timings: Iterable[Timing]) -> tuple[MicroRow, ...]:
    """A row a subject, cheapest first within its group; groups in the order of their names.

    Holm's family is every comparison with a reference in the run.
    """
    groups: dict[str, dict[str, list[Timing]]] = {}
    for timing in timings:
        groups.setdefault(timing.group, {}).setdefault(timing.subject, []).append(timing)
    rows = [row for _, subjects in sorted(groups.items()) for row in _group(subjects)]
    adjusted = holm([None if row.to_reference is None else row.to_reference.p_value() for row in rows])
    return tuple(
        row
        if row.to_reference is None
        else row.model_copy(update={"verdict": judge(row.to_reference, p, MARGIN, "lower")})
        for row, p in zip(rows, adjusted, strict=True)
    )


def _group(subjects: dict[str, list[Timing]]) -> list[MicroRow]:
    floor = next((name for name in FLOORS if name in subjects), None)
    reference = next((name for name in REFERENCES if name in subjects), None)
    rows = []
    for subject, timings in subjects.items():
        time = geometric_mean(_observed(timings), "µs")
        assert time is not None  # every median is positive
        rows.append(
            MicroRow(
                group=timings[0].group,
                subject=subject,
                version=timings[0].version,
                time=time,
                least_us=min(timing.least_us for timing in timings),
                size_bytes=timings[0].size_bytes,
                to_floor=_to(subject, floor, subjects),
                to_reference=_to(subject, reference, subjects),
                verdict=None,
            )
        )
    return sorted(rows, key=lambda row: row.time.value)


def _to(subject: str, other: str | None, subjects: dict[str, list[Timing]]) -> Ratio | None:
    if other is None or other == subject:
        return None
    return ratio(_observed(subjects[subject]), _observed(subjects[other]))


def _observed(timings: Sequence[Timing]) -> list[Observation]:
    return [Observation(timing.launch, 0, timing.median_us) for timing in timings]
