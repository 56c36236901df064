"""What changed between two runs, as plain frozen values: what `authbench compare --json` prints."""

from collections.abc import Mapping
from typing import Literal

from authbench.analysis.caution import Caution
from authbench.analysis.comparability import Comparability
from authbench.analysis.estimate import Ratio
from authbench.analysis.verdict import Verdict
from authbench.records import Frozen, Level

Shown = Literal["seconds", "ratio to control", "count", "exact count"]


class Change(Frozen):
    """One metric of one strategy in two runs; `old` and `new` are in `unit`, or times the control.

    A quantile's `old` and `new` are of all samples of the run; its ratio is of launches' quantiles.
    """

    levels: Mapping[str, Level]
    strategy: str
    metric: str
    load: str  # `any`: from all loads together
    unit: str
    shown: Shown
    old: float | None
    new: float | None
    ratio: Ratio | None  # NEW over OLD; None for exact counts
    seconds: Ratio | None  # where the control moved: what the seconds themselves did
    counted: tuple[int, int]  # launches of OLD and NEW; of exact counts: trials
    verdict: Verdict


class Refused(Frozen):
    """Cells that were not compared, and why."""

    reason: str
    cells: tuple[Mapping[str, Level], ...]


class Across(Frozen):
    """All that can be said of NEW beside OLD."""

    comparability: Comparability
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...]
    cautions: tuple[Caution, ...]
