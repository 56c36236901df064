"""Every strategy against the reference, at every combination of levels: CPU a request is one family of tests, the
median latency at the same open rate another.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.bootstrap import check
from authbench.analysis.caution import Caution
from authbench.analysis.counted import Levels, counted, observe, of_strategy, other_levels, unresolved
from authbench.analysis.estimate import Ratio, log_ratios, no_ratio, ratio
from authbench.analysis.findings import Comparison, Latency
from authbench.analysis.rows import CPU
from authbench.analysis.verdict import Verdict, holm, invalid, judge
from authbench.metric import METRICS
from authbench.records import Question, Trial

Key = tuple[Levels, str]  # where, and which strategy
Cell = tuple[Levels, str, str]  # and at which load

# A block that stays invalid is left out and named. More than this share of a strategy's blocks lost, and those that are
# left are a choice that the machine's troubles made: then the strategy has no verdict.
LOST_BLOCKS = 1 / 3

NO_P50 = "no block that both sides have holds 50 samples beyond its p50 on both"
# METHOD.md, tier 3: p50 with a margin of 5 to 10 %, and only when the machine was quiet. It was not where one of these
# reasons removed a window, measured again or not.
LATENCY_MARGIN = 0.10
UNQUIET = frozenset({"steal", "cpu-contended", "generator-late"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Ratios of CPU a request to the reference, the verdicts on them, and what the bootstrap objects to."""

    ratios: Mapping[Key, Ratio | None]
    missing: Mapping[Key, str]  # why there is no ratio, where there is none
    verdicts: Mapping[Key, Verdict]
    stuck: Mapping[Key, tuple[Trial, ...]]  # of strategies with too many blocks that stayed invalid
    cautions: tuple[Caution, ...]

    def may_rank(self, key: Key) -> bool:
        """Whether enough of that strategy's blocks are valid."""
        return key not in self.stuck


def judge_all(question: Question, at: Mapping[Levels, Sequence[Trial]], open_: Sequence[Trial]) -> Judgement:
    """`at`: counted trials by their other levels; `open_`: trials whose measurement has no valid attempt.

    Holm's family is all comparisons with the reference in the run; the control is no contender and takes no part.
    """
    ratios, missing, cautions = _ratios(question, at)
    of_cpu = [trial for trial in open_ if trial.load.model == METRICS[CPU].source]
    kept = [trial for trials in at.values() for trial in trials]
    stuck = {(levels, name): trials for (levels, name, _), trials in stuck_cells(kept, of_cpu).items()}
    family = [key for key in ratios if key[1] != question.control]
    adjusted = holm([None if (r := ratios[key]) is None else r.p_value() for key in family])
    verdicts = {key: invalid(why_stuck(trials)) for key, trials in stuck.items()}
    for key, p in zip(family, adjusted, strict=True):
        sides = (*stuck.get(key, ()), *stuck.get((key[0], question.reference), ()))
        verdicts[key] = (
            invalid(why_stuck(sides))
            if sides
            else judge(ratios[key], p, question.margin, METRICS[CPU].better, missing.get(key, ""))
        )
    return Judgement(ratios, missing, verdicts, stuck, tuple(cautions))


def judge_latency(
    question: Question, comparisons: Sequence[Comparison], every: Sequence[Trial]
) -> tuple[Comparison, ...]:
    """The comparisons with a verdict on every strategy's p50 at every open-model load; `every`: all trials of the run.

    Holm's family is all such ratios of the run that a quiet machine gave. p90 and beyond get intervals, no verdict.
    """
    removed = _removed_by_noise(every)
    stuck = stuck_cells(counted(every), unresolved(every))
    family = [
        ((levels, row.strategy, latency.load), (levels, question.reference, latency.load), latency)
        for comparison in comparisons
        for levels in [tuple(sorted(comparison.levels.items()))]
        for row in comparison.rows
        if row.role == "strategy"
        for latency in row.latency
    ]
    refused = [
        _too_many_lost([*stuck.get(ours, ()), *stuck.get(theirs, ())])
        or _not_quiet([*removed.get(ours, ()), *removed.get(theirs, ())])
        for ours, theirs, _ in family
    ]
    p_values = holm([None if no else _p(latency) for (*_, latency), no in zip(family, refused, strict=True)])
    verdicts = {
        ours: no or judge(latency.p50_to_reference, p, LATENCY_MARGIN, METRICS["latency_p50_ms"].better, NO_P50)
        for (ours, _, latency), p, no in zip(family, p_values, refused, strict=True)
    }
    return tuple(_with_verdicts(comparison, verdicts) for comparison in comparisons)


def _with_verdicts(comparison: Comparison, verdicts: Mapping[Cell, Verdict]) -> Comparison:
    levels = tuple(sorted(comparison.levels.items()))

    def judged(strategy: str, latency: Latency) -> Latency:
        return latency.model_copy(update={"verdict": verdicts.get((levels, strategy, latency.load))})

    rows = [
        row.model_copy(update={"latency": tuple(judged(row.strategy, each) for each in row.latency)})
        for row in comparison.rows
    ]
    return comparison.model_copy(update={"rows": tuple(rows)})


def _p(latency: Latency) -> float | None:
    return None if latency.p50_to_reference is None else latency.p50_to_reference.p_value()


def _too_many_lost(trials: Sequence[Trial]) -> Verdict | None:
    return invalid(why_stuck(trials)) if trials else None


def _not_quiet(lost: Sequence[Trial]) -> Verdict | None:
    if not lost:
        return None
    codes = sorted({reason.code for trial in lost for reason in trial.reasons} & UNQUIET)
    why = f"the machine was not quiet: windows of it were removed ({', '.join(codes)}; {_numbers(lost)})"
    return Verdict(word="inconclusive", why=why)


def _removed_by_noise(every: Iterable[Trial]) -> dict[Cell, list[Trial]]:
    """Windows of the open model that the machine's troubles removed."""
    found: dict[Cell, list[Trial]] = {}
    for trial in every:
        if trial.load.model == "rate" and any(reason.code in UNQUIET for reason in trial.reasons):
            found.setdefault(cell_of(trial), []).append(trial)
    return found


def stuck_cells(kept: Iterable[Trial], open_: Iterable[Trial]) -> dict[Cell, tuple[Trial, ...]]:
    """The lost blocks of each cell that lost more than LOST_BLOCKS of them."""
    lost: dict[Cell, tuple[Trial, ...]] = {}
    for trial in open_:
        lost[cell_of(trial)] = (*lost.get(cell_of(trial), ()), trial)
    left = Counter(map(cell_of, kept))
    return {cell: trials for cell, trials in lost.items() if len(trials) > LOST_BLOCKS * (len(trials) + left[cell])}


def cell_of(trial: Trial) -> Cell:
    """Which cell a trial measured."""
    return other_levels(trial), trial.strategy, str(trial.cell["load"])


def why_stuck(trials: Sequence[Trial]) -> str:
    """Why these measurements have no valid attempt, with the numbers of their trials."""
    codes = sorted({reason.code for trial in trials for reason in trial.reasons})
    return f"stayed invalid after every attempt ({', '.join(codes)}; {_numbers(trials)})"


def _numbers(trials: Sequence[Trial]) -> str:
    return f"trial {', '.join(str(trial.trial) for trial in trials[:5])}{'…' if len(trials) > 5 else ''}"


def _ratios(
    question: Question, at: Mapping[Levels, Sequence[Trial]]
) -> tuple[dict[Key, Ratio | None], dict[Key, str], list[Caution]]:
    found: dict[Key, Ratio | None] = {}
    missing: dict[Key, str] = {}
    cautions = []
    for levels, trials in at.items():
        reference = observe(of_strategy(trials, question.reference), CPU)
        for name in sorted({trial.strategy for trial in trials} - {question.reference}):
            subject = observe(of_strategy(trials, name), CPU)
            found[levels, name] = against = ratio(subject, reference)
            about = f"{name} / {question.reference} ({', '.join(str(level) for _, level in levels)})"
            if against is None:
                missing[levels, name] = no_ratio(subject, reference)
            elif caution := check(against, log_ratios(subject, reference), about):
                cautions.append(caution)
    return found, missing, cautions
