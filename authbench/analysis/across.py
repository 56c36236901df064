"""Two runs beside each other: what changed from OLD to NEW, metric by metric, as far as the two may be compared.

Where seconds may not be compared (`comparability`), or where the control's own seconds moved, what is compared is each
run's ratio to its own control. Counts that are the same at every run are compared exactly.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from authbench.analysis.caution import Caution
from authbench.analysis.change import Across, Change, Refused, Shown
from authbench.analysis.comparability import RATE_TOLERANCE, Comparability, comparability
from authbench.analysis.counted import Levels
from authbench.analysis.estimate import Ratio
from authbench.analysis.judgement import LATENCY_MARGIN, Cell, why_stuck
from authbench.analysis.rows import CPU
from authbench.analysis.side import Side, shared_cells, side_of
from authbench.analysis.verdict import Verdict, holm, invalid, judge
from authbench.analysis.welch import (
    control_logs,
    control_ratios,
    exact_change,
    launch_logs,
    medians,
    quantile_of,
    typical,
    welch,
)
from authbench.histogram import decode, merge
from authbench.metric import METRICS, Metric
from authbench.records import Level, Manifest, Trial

__all__ = ["across", "control_ratios", "exact_change", "welch"]  # what `gate --baseline` is made from, too

Run = tuple[Manifest, Sequence[Trial]]
TIME_UNITS = frozenset({"ms", "requests/s", "connections/s"})  # what a faster machine changes by itself
ANY_LOAD = "any"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a metric is read: a strategy at its levels, and the loads whose windows say something about it."""

    levels: Levels
    strategy: str
    load: str
    loads: tuple[str, ...]
    metric: Metric


@dataclass(frozen=True, slots=True)
class Found:
    """A change before its verdict; `settled` where no test decides."""

    spot: Spot
    shown: Shown
    values: tuple[float | None, float | None]
    ratio: Ratio | None
    counted: tuple[int, int]
    settled: Verdict | None
    seconds: Ratio | None = None


def across(runs: Sequence[Run], *, every_metric: bool = False) -> tuple[Across, ...]:
    """Every later run beside the first, at least two runs in all. Holm's family is all tests of one NEW.

    Metrics: CPU a request and those that the scenarios name as their answers, or all there are.
    """
    old, *later = runs
    return tuple(_beside(old, new, every_metric) for new in later)


def _beside(old: Run, new: Run, every_metric: bool) -> Across:
    may = comparability(old[0], new[0])
    sides = (side_of("OLD", *old), side_of("NEW", *new))
    cells, refused = shared_cells(may, sides)
    answers = (CPU, *old[0].question.answers, *new[0].question.answers)
    names = tuple(METRICS) if every_metric else tuple(dict.fromkeys(name for name in answers if name in METRICS))
    spots, apart = _comparable_rates(_spots(cells, names), sides)
    refused |= apart
    found = [each for spot in spots if (each := _found(spot, may, sides, old[0].question.margin)) is not None]
    found, moved = _beside_control(found, sides)
    adjusted = holm([None if each.settled or each.ratio is None else each.ratio.p_value() for each in found])
    return Across(
        comparability=may,
        changes=tuple(_change(each, p, old[0].question.margin) for each, p in zip(found, adjusted, strict=True)),
        refused=tuple(Refused(reason=reason, cells=tuple(where)) for reason, where in refused.items()),
        cautions=tuple(_cautions(may, sides, spots, moved)),
    )


def _spots(cells: Iterable[Cell], names: Iterable[str]) -> list[Spot]:
    loads: dict[tuple[Levels, str], list[str]] = {}
    for levels, strategy, load in cells:
        loads.setdefault((levels, strategy), []).append(load)
    return [
        Spot(levels, strategy, load, together, METRICS[name])
        for (levels, strategy), here in loads.items()
        for name in names
        for load, together in _loads(METRICS[name], here)
    ]


def _loads(metric: Metric, loads: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    if metric.source == "any":
        return [(ANY_LOAD, tuple(loads))]
    return [(load, (load,)) for load in loads if (load == "saturate") == (metric.source == "saturate")]


def _comparable_rates(
    spots: Sequence[Spot], sides: tuple[Side, Side]
) -> tuple[list[Spot], dict[str, list[Mapping[str, Level]]]]:
    """Without latencies taken at rates that load the stack differently."""
    kept: list[Spot] = []
    refused: dict[str, list[Mapping[str, Level]]] = {}
    for spot in spots:
        first, second = _rates(spot, sides)
        if spot.metric.source != "rate" or not first or not second or abs(second / first - 1) <= RATE_TOLERANCE:
            kept.append(spot)
            continue
        reason = f"latency at other open-model rates ({first:.0f} and {second:.0f} requests/s)"
        where = {**dict(spot.levels), "strategy": spot.strategy, "load": spot.load}
        if where not in refused.setdefault(reason, []):
            refused[reason].append(where)
    return kept, refused


def _rates(spot: Spot, sides: tuple[Side, Side]) -> tuple[float | None, float | None]:
    def rate(side: Side) -> float | None:
        trials = side.at(spot.levels, spot.strategy, spot.loads)
        found = [trial.load.target_rps for trial in trials if trial.load.target_rps]
        return fmean(found) if found else None

    return rate(sides[0]), rate(sides[1])


def _found(spot: Spot, may: Comparability, sides: tuple[Side, Side], margin: float) -> Found | None:
    """What the two runs say there; None where the metric says nothing, or may not be compared by itself."""
    spot = _without_stuck(spot, sides)
    old, new = (side.at(spot.levels, spot.strategy, spot.loads) for side in sides)
    lost = _lost(spot, sides)
    if lost is None and not any(spot.metric.of(trial) is not None for trial in (*old, *new)):
        return None
    if spot.metric.unit in TIME_UNITS and may.basis != "seconds":
        own = spot.strategy in (sides[0].control, sides[1].control)
        return None if own or sides[0].control != sides[1].control else _to_control(spot, sides, lost)
    values = [[value for trial in side if (value := spot.metric.of(trial)) is not None] for side in (old, new)]
    if spot.metric.exact:
        settled = lost or exact_change(values[0], values[1], spot.metric, margin)
        return Found(spot, "exact count", _pair(map(_median, values)), None, (len(values[0]), len(values[1])), settled)
    logs = [launch_logs(side, spot.metric) for side in (old, new)]
    shown: Shown = "seconds" if spot.metric.unit in TIME_UNITS else "count"
    if shown == "count" and not (logs[0] and logs[1]):  # a count of zero has no ratio, and needs none
        lost = lost or exact_change(values[0], values[1], spot.metric, margin)
    middles = map(_median, values) if shown == "count" else (_typical(spot.metric, side) for side in (old, new))
    return Found(spot, shown, _pair(middles), welch(*logs), (len(logs[0]), len(logs[1])), lost)


def _to_control(spot: Spot, sides: tuple[Side, Side], settled: Verdict | None) -> Found:
    logs = [
        medians(
            control_logs(
                side.at(spot.levels, spot.strategy, spot.loads),
                side.at(spot.levels, side.control, spot.loads),
                spot.metric,
            )
        )
        for side in sides
    ]
    counted_ = (len(logs[0]), len(logs[1]))
    return Found(spot, "ratio to control", _pair(map(typical, logs)), welch(*logs), counted_, settled)


def _beside_control(found: Sequence[Found], sides: tuple[Side, Side]) -> tuple[list[Found], dict[Spot, Ratio]]:
    """With seconds replaced by ratios to the control wherever the control's own seconds moved; and those moves."""
    moved = {
        (each.spot.levels, each.spot.metric.name, each.spot.load): each
        for each in found
        if each.shown == "seconds" and each.spot.strategy == sides[0].control == sides[1].control
        if each.ratio is not None and each.ratio.excludes(1)
    }
    told = []
    for each in found:
        key = (each.spot.levels, each.spot.metric.name, each.spot.load)
        if each.shown == "seconds" and key in moved and each is not moved[key]:
            told.append(replace(_to_control(each.spot, sides, each.settled), seconds=each.ratio))
        else:
            told.append(each)
    return told, {each.spot: each.ratio for each in moved.values() if each.ratio is not None}


def _without_stuck(spot: Spot, sides: tuple[Side, Side]) -> Spot:
    """A metric of any load is read from those loads that did not lose too many blocks, where there are such."""
    sound = tuple(
        load for load in spot.loads if not any((spot.levels, spot.strategy, load) in side.stuck for side in sides)
    )
    return replace(spot, loads=sound) if spot.load == ANY_LOAD and sound else spot


def _lost(spot: Spot, sides: tuple[Side, Side]) -> Verdict | None:
    """`invalid`, where a run has no trial left that counts, or lost too many blocks."""
    for side in sides:
        if not side.at(spot.levels, spot.strategy, spot.loads):
            return invalid(f"no valid trial in {side.name}")
        stuck = [trial for load in spot.loads for trial in side.stuck.get((spot.levels, spot.strategy, load), ())]
        if stuck:
            return invalid(f"{side.name}: {why_stuck(stuck)}")
    return None


def _change(found: Found, p_holm: float | None, margin: float) -> Change:
    spot = found.spot
    noisier = spot.metric.source == "rate" or spot.metric.name == "capacity_rps"  # METHOD.md, tiers 3 and 4
    missing = "no launch on either side holds a value that a ratio can be taken of"
    if quantile_of(spot.metric) is not None:
        missing = "fewer than 50 samples of a launch lie beyond the quantile"
    return Change(
        levels=dict(spot.levels),
        strategy=spot.strategy,
        metric=spot.metric.name,
        load=spot.load,
        unit="× control" if found.shown == "ratio to control" else spot.metric.unit,
        shown=found.shown,
        old=found.values[0],
        new=found.values[1],
        ratio=found.ratio,
        seconds=found.seconds,
        counted=found.counted,
        verdict=found.settled
        or judge(found.ratio, p_holm, max(margin, LATENCY_MARGIN) if noisier else margin, spot.metric.better, missing),
    )


def _cautions(
    may: Comparability, sides: tuple[Side, Side], spots: Sequence[Spot], moved: Mapping[Spot, Ratio]
) -> Iterator[Caution]:
    if may.basis == "seconds":
        told = "the two runs did not alternate: what the machine did between them is in every ratio of seconds"
        yield Caution(code="not-alternated", about="all seconds", message=told)
    if may.basis == "ratios and counts":
        parts = ", ".join(each.part for each in may.differences if each.forbids == "seconds")
        told = f"seconds are not compared, only ratios to {sides[0].control} and counts, since these differ: {parts}"
        if sides[0].control != sides[1].control:
            told = f"seconds are not compared, and there is no common control: only counts. These differ: {parts}"
        yield Caution(code="seconds-refused", about="all seconds", message=told)
    for each in may.differences:
        if each.loud:
            yield Caution(code="runs-differ", about=each.part, message=f"{each.old}, then {each.new}")
    for spot, ratio in moved.items():
        about = f"{spot.metric.name} at {spot.load} ({', '.join(str(level) for _, level in spot.levels)})"
        told = (
            f"{spot.strategy} itself gave {ratio.value:.3f} times ({ratio.low:.3f}–{ratio.high:.3f}) its figure of OLD"
        )
        yield Caution(code="control-moved", about=about, message=f"{told}: ratios to it are shown in place of seconds")
    for spot in {(spot.levels, spot.load): spot for spot in spots if spot.metric.source == "rate"}.values():
        first, second = _rates(spot, sides)
        if first and second and f"{first:.0f}" != f"{second:.0f}":
            about = f"{spot.load} ({', '.join(str(level) for _, level in spot.levels)})"
            told = f"latency at {first:.0f} requests/s in OLD and {second:.0f} in NEW"
            yield Caution(code="rates-differ", about=about, message=told)


def _typical(metric: Metric, trials: Sequence[Trial]) -> float | None:
    """The value to show: a quantile of all samples, where 50 lie beyond; else the geometric mean of launches."""
    if (quantile := quantile_of(metric)) is None:
        return typical(launch_logs(trials, metric))
    share, kind = quantile
    together = merge(decode(getattr(trial.load, kind)) for trial in trials)
    value = together.quantile_us(share)
    return value / 1000 if value is not None and together.supports(share) else None


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _pair(values: Iterable[float | None]) -> tuple[float | None, float | None]:
    first, second = values
    return first, second
