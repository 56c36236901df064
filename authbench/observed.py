"""What an experiment wrote down: one line of observations.jsonl, for what is not a window of load on one cell.

A trial measures one cell under load; an experiment makes something happen (a replica leaves, a function starts cold)
and writes down what it counted. Each observation is of one launch of fresh processes: intervals come from launches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from authbench.records import Frozen, Level, Reason, read_rows

OBSERVATIONS_FILE = "observations.jsonl"
SCHEMA_VERSION = 1
FINISHED = "finished"  # kind of the last line: every experiment of the run has come to its end


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing an experiment observes. `exact` marks a count, the same at every run: any change is a change."""

    name: str
    label: str
    unit: str
    exact: bool
    better: Literal["lower", "higher", "neither"] = "lower"


class Observation(Frozen):
    """What one experiment saw once, at one combination of levels."""

    schema_version: int = SCHEMA_VERSION
    kind: str  # of the experiment
    launch: int  # which group of fresh processes
    levels: Mapping[str, Level]  # factor -> level; holds `strategy` where one was observed
    values: Mapping[str, float | None]  # measure -> value in the measure's unit; None: there is none
    reasons: tuple[Reason, ...] = ()  # why it does not count
    series: Mapping[str, str] = {}  # what happened over time, as the experiment writes it down
    histograms: Mapping[str, str] = {}  # what is merged over launches, never averaged: as `records.Load` keeps them

    @property
    def valid(self) -> bool:
        """Whether it counts."""
        return not self.reasons

    def key(self) -> tuple[object, ...]:
        """What identifies it in its run."""
        return observation_key(self.kind, self.launch, self.levels)


def observation_key(kind: str, launch: int, levels: Mapping[str, Level]) -> tuple[object, ...]:
    """Equals `Observation.key()` of what is observed there."""
    return (kind, launch, *sorted(levels.items()))


def finished() -> Observation:
    """The line that says so, of no levels and no values."""
    return Observation(kind=FINISHED, launch=0, levels={}, values={})


def read_observations(folder: Path) -> tuple[Observation, ...]:
    """All observations of a result folder, in the order written; a torn last line is left out, no file: none.

    Raises UsageError where a line is not such a row.
    """
    path = folder / OBSERVATIONS_FILE
    return tuple(read_rows(Observation, path)) if path.is_file() else ()
