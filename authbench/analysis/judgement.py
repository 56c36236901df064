"""Every strategy against the reference, at every combination of levels, as one family of tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.bootstrap import check
from authbench.analysis.caution import Caution
from authbench.analysis.counted import Levels, observe, of_strategy, other_levels
from authbench.analysis.estimate import Ratio, log_ratios, ratio
from authbench.analysis.rows import CPU
from authbench.analysis.verdict import Verdict, holm, invalid, judge
from authbench.metric import METRICS
from authbench.records import Question, Trial

Key = tuple[Levels, str]  # where, and which strategy

# A block that stays invalid is left out and named. More than this share of a strategy's blocks lost, and those that are
# left are a choice that the machine's troubles made: then the strategy has no verdict.
LOST_BLOCKS = 1 / 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """Ratios of CPU a request to the reference, the verdicts on them, and what the bootstrap objects to."""

    ratios: Mapping[Key, Ratio | None]
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
    ratios, cautions = _ratios(question, at)
    stuck = _stuck(at, open_)
    family = [key for key in ratios if key[1] != question.control]
    adjusted = holm([None if (r := ratios[key]) is None else r.p_value() for key in family])
    verdicts = {key: invalid(why_stuck(trials)) for key, trials in stuck.items()}
    for key, p in zip(family, adjusted, strict=True):
        sides = (*stuck.get(key, ()), *stuck.get((key[0], question.reference), ()))
        told = invalid(why_stuck(sides)) if sides else judge(ratios[key], p, question.margin, METRICS[CPU].better)
        verdicts[key] = told
    return Judgement(ratios, verdicts, stuck, tuple(cautions))


def _stuck(at: Mapping[Levels, Sequence[Trial]], open_: Sequence[Trial]) -> dict[Key, tuple[Trial, ...]]:
    """The lost blocks of each strategy that lost more than LOST_BLOCKS of them. CPU's load model only."""
    lost: dict[Key, tuple[Trial, ...]] = {}
    for trial in open_:
        if trial.load.model == METRICS[CPU].source:
            key = (other_levels(trial), trial.strategy)
            lost[key] = (*lost.get(key, ()), trial)
    kept = dict.fromkeys(lost, 0)
    for levels, trials in at.items():
        for trial in trials:
            if (levels, trial.strategy) in kept and trial.load.model == METRICS[CPU].source:
                kept[levels, trial.strategy] += 1
    return {key: trials for key, trials in lost.items() if len(trials) > LOST_BLOCKS * (len(trials) + kept[key])}


def why_stuck(trials: Sequence[Trial]) -> str:
    """Why these measurements have no valid attempt, with the numbers of their trials."""
    codes = sorted({reason.code for trial in trials for reason in trial.reasons})
    numbers = ", ".join(str(trial.trial) for trial in trials[:5])
    more = "…" if len(trials) > 5 else ""
    return f"stayed invalid after every attempt ({', '.join(codes)}; trial {numbers}{more})"


def _ratios(question: Question, at: Mapping[Levels, Sequence[Trial]]) -> tuple[dict[Key, Ratio | None], list[Caution]]:
    found: dict[Key, Ratio | None] = {}
    cautions = []
    for levels, trials in at.items():
        reference = observe(of_strategy(trials, question.reference), CPU)
        for name in sorted({trial.strategy for trial in trials} - {question.reference}):
            subject = observe(of_strategy(trials, name), CPU)
            found[levels, name] = against = ratio(subject, reference)
            about = f"{name} / {question.reference} ({', '.join(str(level) for _, level in levels)})"
            if against and (caution := check(against, log_ratios(subject, reference), about)):
                cautions.append(caution)
    return found, cautions
