"""What a result folder already holds of a plan, so that an interrupted run goes on where it ended."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from authbench.design import Launch, Planned
from authbench.records import Trial


class Answered:
    """Which planned trials have a valid record, and how often the others were tried."""

    def __init__(self, attempts: int, strategies: Collection[str], earlier: Iterable[Trial] = ()) -> None:
        """`attempts`: how often a trial may be tried; `strategies`: those that are measured at all."""
        self._attempts = attempts
        self._strategies = strategies
        self._valid: set[tuple[object, ...]] = set()
        self._tried: Counter[tuple[object, ...]] = Counter()
        for trial in earlier:
            self.add(trial)

    def add(self, trial: Trial) -> None:
        """Takes a record in."""
        self._tried[trial.key()] += 1
        if trial.valid:
            self._valid.add(trial.key())

    def is_open(self, planned: Planned) -> bool:
        """Whether it is still to be measured."""
        key = planned.key()
        return (
            planned.cell.strategy in self._strategies and key not in self._valid and self._tried[key] < self._attempts
        )

    def open(self, launches: Iterable[Launch]) -> list[Planned]:
        """All that is still to be measured, in the plan's order."""
        return [planned for launch in launches for planned in launch.trials() if self.is_open(planned)]

    def waiting(self, block: Iterable[Planned]) -> Iterator[tuple[Planned, int]]:
        """The block's trials that are still to be measured, each with the number of its attempt.

        First all for the first time, then those that stayed invalid once more, and so on: the order of a run that was
        never interrupted. What was measured is to be added before the next is asked for.
        """
        trials = tuple(block)
        for attempt in range(self._attempts):
            for planned in trials:
                if self.is_open(planned) and self._tried[planned.key()] <= attempt:
                    yield planned, attempt
