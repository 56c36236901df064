"""What a gate found, as plain frozen values: the shape of gate.json."""

from collections.abc import Iterable, Mapping
from typing import Self

from authbench.errors import InvalidRunError
from authbench.gate.decision import Bounds, Outcome
from authbench.records import Frozen, Machine

GATE_VERSION = 1
EXIT_CODES: Mapping[Outcome, int] = {
    "pass": 0,
    "regression": 1,
    "invalid": InvalidRunError.exit_code,
    "inconclusive": 5,
    "not compared": 0,
}


class GateRow(Frozen):
    """One figure of one strategy: base, candidate, and what is said about the two."""

    tier: int
    strategy: str
    endpoint: str
    metric: str
    unit: str
    base: float | None = None
    candidate: float | None = None
    ratio: float | None = None  # candidate over base
    interval: tuple[float, float] | None = None  # 95 %, of the ratio; None for exact figures
    launches: int | None = None
    limit: str
    outcome: Outcome
    why: str

    def but(self, outcome: Outcome, why: str) -> Self:
        """The same with another outcome."""
        return self.model_copy(update={"outcome": outcome, "why": why})


class Twin(Frozen):
    """How the base stood against itself in this run: what the gate would have said."""

    strategy: str
    metric: str
    outcome: Outcome
    bounds: Bounds | None


class Ledger(Frozen):
    """All twins so far: false alarms, k of n, and the upper bound of their rate (Clopper and Pearson 1934, 95 %)."""

    path: str
    alarms: int
    twins: int
    upper: float


class Quoted(Frozen):
    """What a calibration of this machine says about such a verdict."""

    path: str
    strategy: str
    metric: str
    false_alarm_rate: float
    false_alarm_interval: tuple[float, float]
    injected: float | None
    found_rate: float | None
    found_interval: tuple[float, float] | None
    smallest_change_found: float | None
    seconds_per_verdict: float | None = None


class Side(Frozen):
    """One of the two builds."""

    told: str
    commit: str | None


class GateResult(Frozen):
    """Everything that table, Markdown, JUnit and exit code are made of."""

    gate_version: int = GATE_VERSION
    way: str  # `against` or `baseline`
    started_utc: str
    seconds: float
    base: Side
    candidate: Side
    machine: Machine
    rows: tuple[GateRow, ...]
    twins: tuple[Twin, ...] = ()
    ledger: Ledger | None = None
    calibration: tuple[Quoted, ...] = ()
    tiers: tuple[int, ...]  # those that were looked at
    notes: tuple[str, ...] = ()  # what a reader must know: loud ones first

    @property
    def outcome(self) -> Outcome:
        """The worst that any row says."""
        return worst(row.outcome for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regression, 3 invalid, 5 inconclusive."""
        return EXIT_CODES[self.outcome]


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """A regression outweighs everything, then invalid, then inconclusive; nothing compared is invalid."""
    found = set(outcomes)
    order: tuple[Outcome, ...] = ("regression", "invalid", "inconclusive", "pass")
    return next((outcome for outcome in order if outcome in found), "invalid")
