"""`authbench gate --baseline`: a stored result of another machine or day. Ratios and counts, never seconds.

CPU a request is compared as its ratio to the run's own control endpoint. The baseline cannot be measured once more, so
there is one stage, with the error that the two stages of `--against` have together: a regression is one whose one-sided
99 % bound (Welch's t on logs over launches) lies above the margin, and which stands out from all others.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median_high

from scipy.special import stdtrit

from authbench.analysis.comparability import comparability
from authbench.analysis.counted import Levels, counted, observe, of_strategy, other_levels, unresolved
from authbench.analysis.estimate import Ratio
from authbench.analysis.judgement import stuck_cells, why_stuck
from authbench.analysis.welch import control_ratios, exact_change, medians, typical, welch
from authbench.errors import UsageError
from authbench.gate.decision import SHOWN_CONFIDENCE
from authbench.gate.gated import CPU, GATED
from authbench.gate.limits import Limits
from authbench.gate.result import GateResult, GateRow, Side
from authbench.metric import METRICS
from authbench.records import Manifest, Trial, read_manifest, read_trials

ALARM = 0.99  # one-sided
LOAD = "saturate"  # where CPU a request and counts are read
COUNTS = ("statements_per_request", "cache_commands_per_request", "bytes_per_request", "credential_bytes")
Run = tuple[Manifest, Sequence[Trial]]


@dataclass(frozen=True, slots=True)
class Stored:
    """A result folder, read."""

    folder: Path
    manifest: Manifest
    trials: Sequence[Trial]


def read_stored(path: Path, option: str) -> Stored:
    """The result folder, or the one that the named file lies in. Raises UsageError where it holds no result."""
    folder = path if path.is_dir() else path.parent
    if not path.exists():
        raise UsageError(f"{option} {path}: there is no such file or folder")
    return Stored(folder, read_manifest(folder), read_trials(folder))


def gate_stored(old: Stored, new: Stored, limits: Limits, strategies: Sequence[str] | None) -> GateResult:
    """What may be said of the new result. Raises UsageError where nothing of the two may be compared."""
    began = time.monotonic()
    rows, notes = compared((old.manifest, old.trials), (new.manifest, new.trials), limits, strategies)
    return GateResult(
        way="baseline",
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        base=_side(old),
        candidate=_side(new),
        machine=new.manifest.machine,
        rows=tuple(rows),
        tiers=tuple(sorted({row.tier for row in rows})),
        notes=tuple(notes),
    )


def compared(
    old: Run, new: Run, limits: Limits, strategies: Sequence[str] | None = None
) -> tuple[list[GateRow], list[str]]:
    """Rows of every cell that both hold, and what differs between the two, loud differences first.

    Raises UsageError where nothing may be compared.
    """
    may = comparability(old[0], new[0])
    if may.basis == "nothing":
        reasons = "; ".join(dict.fromkeys(each.reason for each in may.refused if each.factor is None))
        raise UsageError(f"--baseline: nothing may be compared: {reasons}")
    notes = [f"{each.part}: {each.old} there, {each.new} here" for each in may.differences if each.loud]
    if notes:
        notes.insert(0, "the two results were not measured alike; only ratios to the control and counts are compared")
    rows: list[GateRow] = []
    for levels in _shared_levels(old[1], new[1]):
        refused = may.refuses({**dict(levels), "load": LOAD})
        if refused is not None:
            notes.append(f"left out: {refused}")
            continue
        rows += _apart(list(_at(levels, old, new, limits, strategies)), limits)
    if not rows:
        raise UsageError("--baseline: the two results hold no cell in common")
    return rows, notes


def _apart(rows: Sequence[GateRow], limits: Limits) -> list[GateRow]:
    """The same rows, but no regression that does not stand out from the others: then the machine may have done it.

    Another hour or machine moves what a store costs against the control too (measured here: +54 % for `session-db`
    between a quiet and a loud hour of one host, +2 to +38 % for the others).
    """
    moved = {row.strategy: math.log(row.ratio) for row in rows if row.metric == CPU and row.ratio is not None}
    found = []
    for row in rows:
        others = [log for name, log in moved.items() if name != row.strategy]
        if row.metric == CPU and row.outcome == "regression" and row.interval is not None and others:
            shared = math.exp(max(others))
            if row.interval[0] / max(shared, 1.0) <= 1 + limits.of(row.strategy, CPU).most:
                why = f"others moved too, by up to {100 * (shared - 1):+.0f} %: the machine, or what they share"
                row = row.but("inconclusive", f"{why}; gate --against tells which")  # noqa: PLW2901
        found.append(row)
    return found


def _at(levels: Levels, old: Run, new: Run, limits: Limits, strategies: Sequence[str] | None) -> Iterator[GateRow]:
    sides = [_Counted.of(run, levels) for run in (old, new)]
    control = new[0].question.control
    names = sorted(set(sides[0].strategies) & set(sides[1].strategies))
    endpoint = str(dict(levels).get("workload", "all"))
    for name in names:
        if strategies is not None and name not in strategies:
            continue
        for metric in COUNTS:
            yield _count_row(name, endpoint, metric, sides, limits)
        if name != control:
            yield _cpu_row(name, endpoint, sides, limits, control)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The counted trials of one run at some levels, saturated, and what is lost."""

    trials: Sequence[Trial]
    logs: Mapping[str, Sequence[float]]  # strategy -> log ratio to the control, a launch each
    stuck: Mapping[str, str]  # strategy -> why too much of it stayed invalid

    @classmethod
    def of(cls, run: Run, levels: Levels) -> "_Counted":
        manifest, trials = run
        here = [t for t in trials if other_levels(t) == levels and t.cell.get("load") == LOAD]
        good = counted(here)
        ratios = control_ratios(good, manifest.question.control, CPU, LOAD)
        lost = stuck_cells(good, unresolved(here))
        return cls(
            good,
            {strategy: medians(logs) for (_, strategy), logs in ratios.items()},
            {strategy: why_stuck(left) for (_, strategy, _), left in lost.items()},
        )

    @property
    def strategies(self) -> set[str]:
        return {trial.strategy for trial in self.trials} | set(self.stuck)


def _cpu_row(name: str, endpoint: str, sides: Sequence[_Counted], limits: Limits, control: str) -> GateRow:
    before, after = sides
    limit = limits.of(name, CPU)
    ratio = welch(before.logs.get(name, ()), after.logs.get(name, ()))
    row = GateRow(
        tier=2,
        strategy=name,
        endpoint=endpoint,
        metric=CPU,
        unit=f"× {control}",
        base=typical(before.logs.get(name, ())),
        candidate=typical(after.logs.get(name, ())),
        ratio=None if ratio is None else ratio.value,
        interval=None if ratio is None or ratio.low is None or ratio.high is None else (ratio.low, ratio.high),
        launches=None if ratio is None else ratio.n,
        limit=limit.told(),
        outcome="inconclusive",
        why="",
    )
    for side, which in ((before, "baseline"), (after, "new result")):
        if (why := side.stuck.get(name) or side.stuck.get(control)) is not None:
            return row.but("invalid", f"{which}: {why}")
    if ratio is None:
        return row.but("invalid", "no launch holds both it and the control")
    bounds = _bounds(ratio)
    if bounds is None:
        return row.but("inconclusive", "one launch on a side: no interval")
    lower, upper = bounds
    if upper < 1 + limit.most:
        return row.but("pass", f"the interval lies below {limit.told()}")
    if lower > 1 + limit.most:
        return row.but("regression", f"with 99 % above {limit.told()}")
    return row.but("inconclusive", f"the interval holds {limit.told()}; more launches on either side would narrow it")


def _count_row(name: str, endpoint: str, metric: str, sides: Sequence[_Counted], limits: Limits) -> GateRow:
    values = [[each.value for each in observe(of_strategy(side.trials, name), metric)] for side in sides]
    limit = limits.of(name, metric)
    base, candidate = (median_high(each) if each else None for each in values)
    row = GateRow(
        tier=0,
        strategy=name,
        endpoint=endpoint,
        metric=metric,
        unit=GATED[metric].unit,
        base=base,
        candidate=candidate,
        ratio=candidate / base if base and candidate is not None else None,
        limit=limit.told(),
        outcome="pass",
        why="",
    )
    if base is None or candidate is None:
        return row.but("not compared", "no value on a side")
    told = exact_change(values[0], values[1], METRICS[metric], margin=0.001)
    if told.word == "worse" and not limit.allows(base, candidate):
        return row.but("regression", told.why)
    if told.word == "inconclusive":
        return row.but("not compared", told.why)
    return row.but("pass", told.why)


def _bounds(ratio: Ratio) -> tuple[float, float] | None:
    """(one-sided 99 % lower, one-sided 97.5 % upper) bound of the ratio."""
    if ratio.log_error is None or ratio.df is None:
        return None
    lower = ratio.log_mean - float(stdtrit(ratio.df, ALARM)) * ratio.log_error
    upper = ratio.log_mean + float(stdtrit(ratio.df, SHOWN_CONFIDENCE)) * ratio.log_error
    return math.exp(lower), math.exp(upper)


def _shared_levels(old: Sequence[Trial], new: Sequence[Trial]) -> list[Levels]:
    shared = {other_levels(trial) for trial in old} & {other_levels(trial) for trial in new}
    return sorted(shared, key=str)


def _side(stored: Stored) -> Side:
    manifest = stored.manifest
    commit = manifest.git_commit
    told = f"{stored.folder} ({manifest.started_utc}, {commit[:9] if commit else 'no commit'})"
    return Side(told=told, commit=commit)
