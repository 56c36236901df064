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


@dataclass(frozen=True, slots=True)
class Judgement:
    """Ratios of CPU a request to the reference, the verdicts on them, and what the bootstrap objects to."""

    ratios: Mapping[Key, Ratio | None]
    verdicts: Mapping[Key, Verdict]
    stuck: Mapping[Key, tuple[Trial, ...]]  # blocks of the metric's load model that stayed invalid
    cautions: tuple[Caution, ...]

    def may_rank(self, key: Key) -> bool:
        """Whether no block of that strategy stayed invalid."""
        return key not in self.stuck


def judge_all(question: Question, at: Mapping[Levels, Sequence[Trial]], open_: Sequence[Trial]) -> Judgement:
    """`at`: counted trials by their other levels; `open_`: trials whose measurement has no valid attempt.

    Holm's family is all comparisons with the reference in the run; the control is no contender and takes no part.
    """
    ratios, cautions = _ratios(question, at)
    stuck: dict[Key, tuple[Trial, ...]] = {}
    for trial in open_:
        if trial.load.model == METRICS[CPU].source:
            key = (other_levels(trial), trial.strategy)
            stuck[key] = (*stuck.get(key, ()), trial)
    family = [key for key in ratios if key[1] != question.control]
    adjusted = holm([None if (r := ratios[key]) is None else r.p_value() for key in family])
    verdicts = {key: invalid(why_stuck(trials)) for key, trials in stuck.items()}
    for key, p in zip(family, adjusted, strict=True):
        sides = (*stuck.get(key, ()), *stuck.get((key[0], question.reference), ()))
        told = invalid(why_stuck(sides)) if sides else judge(ratios[key], p, question.margin, METRICS[CPU].better)
        verdicts[key] = told
    return Judgement(ratios, verdicts, stuck, tuple(cautions))


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
