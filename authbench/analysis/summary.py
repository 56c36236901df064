"""From records to findings: `summarise` is the whole analysis of one result folder, and pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from authbench.analysis.answer import answer
from authbench.analysis.counted import Levels, counted, observe, of_strategy, other_levels, unresolved
from authbench.analysis.doubts import doubts, unresolved_doubts
from authbench.analysis.estimate import Ratio, ratio
from authbench.analysis.findings import Comparison, InvalidTrial, Rejected, Role, Row, Summary
from authbench.analysis.judgement import Judgement, Key, judge_all, judge_latency
from authbench.analysis.pairs import pairs
from authbench.analysis.ranking import places, ranking
from authbench.analysis.rows import CPU, Standing, make_row
from authbench.analysis.verdict import Verdict, invalid
from authbench.records import Contender, Manifest, Question, Trial


def summarise(manifest: Manifest, trials: Sequence[Trial]) -> Summary:
    """Everything the records say. Contenders that failed verification appear as `rejected` only."""
    fit = [contender for contender in manifest.contenders if contender.verified]
    names = {contender.name for contender in fit}
    mine = [trial for trial in trials if trial.strategy in names]
    good, open_ = counted(mine), unresolved(mine)
    at = {levels: [t for t in good if other_levels(t) == levels] for levels in _all_levels(manifest, mine)}
    shares = {levels: workload_shares(manifest, levels) for levels in at}
    judgement = judge_all(manifest.question, at, open_)
    judged = [
        _comparison(manifest.question, fit, levels, rows, mine, judgement, shares[levels])
        for levels, rows in at.items()
    ]
    comparisons = dict(zip(at, judge_latency(manifest.question, judged, mine), strict=True))
    every = [row for comparison in comparisons.values() for row in comparison.rows]
    cautions = [*judgement.cautions, *unresolved_doubts(open_)]
    for levels, comparison in comparisons.items():
        cautions += doubts(comparison, fit, shares[levels], manifest.question.launches)
    noises = [row.launch_noise for row in every if row.launch_noise is not None]
    widths = [width for row in every if (width := _half_width(row.to_reference)) is not None]
    summary = Summary(
        question=manifest.question,
        answer=(),
        comparisons=tuple(comparisons.values()),
        rejected=tuple(
            Rejected(strategy=c.name, verdict=_refusal(c), problems=c.problems, unavailable=c.unavailable is not None)
            for c in manifest.contenders
            if not c.verified
        ),
        trials=len(trials),
        valid=sum(trial.valid for trial in trials),
        invalid=_invalid_trials(trials),
        launch_noise=median(noises) if noises else None,
        resolution=median(widths) if widths else None,
        cautions=tuple(cautions),
    )
    return summary.model_copy(update={"answer": answer(summary)})


def _refusal(contender: Contender) -> Verdict:
    if contender.unavailable is not None:
        return invalid(f"unavailable on this machine: {contender.unavailable}")
    return invalid("did not pass verification")


def _comparison(
    question: Question,
    contenders: Sequence[Contender],
    levels: Levels,
    counted_here: Sequence[Trial],
    every: Sequence[Trial],
    judgement: Judgement,
    shares: Mapping[str, int],
) -> Comparison:
    trials = {c.name: of_strategy(counted_here, c.name) for c in contenders}
    cpu = {name: observe(rows, CPU) for name, rows in trials.items()}
    ranked = [name for name in cpu if name != question.control and judgement.may_rank((levels, name))]
    groups = ranking({name: cpu[name] for name in ranked})
    ranks = places(groups)
    rows = []
    for contender in contenders:
        name = contender.name
        here = [trial for trial in of_strategy(every, name) if other_levels(trial) == levels]
        if not here:
            continue
        rank, tied = ranks.get(name, (None, False))
        standing = Standing(
            role=_role(name, question),
            rank=rank,
            tied=tied,
            to_control=None if name == question.control else ratio(cpu[name], cpu.get(question.control, [])),
            to_reference=judgement.ratios.get((levels, name)),
            verdict=_verdict((levels, name), question, judgement, measured=bool(cpu[name])),
        )
        lost = sum(not trial.valid for trial in here)
        rows.append(make_row(contender, standing, trials[name], lost, trials.get(question.reference, []), shares))
    found = pairs(contenders, cpu, question.control)
    return Comparison(levels=dict(levels), rows=tuple(sorted(rows, key=_order)), groups=groups, pairs=found)


def workload_shares(manifest: Manifest, levels: Levels) -> Mapping[str, int]:
    """Endpoint -> share of the workload at these levels, from the scenario as run; empty where it is not told."""
    workloads: Any = manifest.scenario.get("workloads", {})
    shares = workloads.get(dict(levels).get("workload"), {}) if isinstance(workloads, Mapping) else {}
    return shares if isinstance(shares, Mapping) else {}


def _verdict(key: Key, question: Question, judgement: Judgement, *, measured: bool) -> Verdict | None:
    if not measured and key not in judgement.stuck:
        return invalid("no valid trial")
    if key in judgement.verdicts:
        return judgement.verdicts[key]
    if key[1] in (question.control, question.reference):
        return None
    return Verdict(word="inconclusive", why="the reference was not measured")


def _invalid_trials(trials: Sequence[Trial]) -> tuple[InvalidTrial, ...]:
    settled = {trial.key() for trial in trials if trial.valid}
    return tuple(
        InvalidTrial(
            trial=trial.trial,
            strategy=trial.strategy,
            cell=trial.cell,
            launch=trial.launch,
            block=trial.block,
            attempt=trial.attempt,
            measured_again=trial.key() in settled,
            reasons=trial.reasons,
        )
        for trial in trials
        if not trial.valid
    )


def _all_levels(manifest: Manifest, trials: Sequence[Trial]) -> list[Levels]:
    """Every combination of the other levels, in the scenario's order."""

    def place(levels: Levels) -> list[tuple[int, str]]:
        by_factor = dict(levels)
        order = sorted(by_factor, key=lambda name: (name != "workload", name))
        planned = {name: list(manifest.question.factors.get(name, ())) for name in order}
        return [
            (planned[name].index(by_factor[name]) if by_factor[name] in planned[name] else 999, str(by_factor[name]))
            for name in order
        ]

    return sorted({other_levels(trial) for trial in trials}, key=place)


def _order(row: Row) -> tuple[int, int, float, str]:
    # By rank first: it compares within blocks, so that a strategy that missed a slow one has too low a mean.
    place = {"control": 0}.get(row.role, 1 if row.rank is not None else 2)
    return (place, row.rank or 0, row.cpu_ms.value if row.cpu_ms else float("inf"), row.strategy)


def _role(name: str, question: Question) -> Role:
    return "control" if name == question.control else "reference" if name == question.reference else "strategy"


def _half_width(value: Ratio | None) -> float | None:
    if value is None or value.low is None or value.high is None:
        return None
    return (value.high - value.low) / 2 / value.value
