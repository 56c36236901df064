"""Which trials count, and what they say: from records to observations."""

from collections.abc import Iterable, Sequence

from authbench.analysis.estimate import Observation
from authbench.metric import METRICS
from authbench.records import Level, Trial

Levels = tuple[tuple[str, Level], ...]


def counted(trials: Iterable[Trial]) -> list[Trial]:
    """The last valid attempt of every measurement, in the order measured."""
    last: dict[tuple[object, ...], Trial] = {}
    for trial in trials:
        if trial.valid:
            last[trial.key()] = trial
    return sorted(last.values(), key=lambda trial: trial.trial)


def unresolved(trials: Iterable[Trial]) -> list[Trial]:
    """The last attempt of every measurement that has no valid one: its block stayed invalid."""
    rows = list(trials)
    settled = {trial.key() for trial in rows if trial.valid}
    last = {trial.key(): trial for trial in rows if trial.key() not in settled}
    return sorted(last.values(), key=lambda trial: trial.trial)


def observe(trials: Iterable[Trial], metric: str) -> list[Observation]:
    """One observation a trial that can say something about the metric; its load model decides (`Metric.source`)."""
    read = METRICS[metric].of
    values = ((trial, read(trial)) for trial in trials)
    return [Observation(trial.launch, trial.block, value) for trial, value in values if value is not None]


def other_levels(trial: Trial) -> Levels:
    """The cell without strategy and load: strategies are compared where these are the same."""
    return tuple(sorted((name, level) for name, level in trial.cell.items() if name not in ("strategy", "load")))


def of_strategy(trials: Sequence[Trial], strategy: str) -> list[Trial]:
    """That strategy's trials."""
    return [trial for trial in trials if trial.strategy == strategy]
