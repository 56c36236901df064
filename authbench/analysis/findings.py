"""What a run found, as plain frozen values: the shape of summary.json, read by tables, charts and reports."""

from collections.abc import Mapping
from typing import Literal

from authbench.analysis.caution import Caution
from authbench.analysis.estimate import Estimate, Ratio
from authbench.analysis.verdict import Verdict
from authbench.records import Frozen, Level, Question, Reason

SUMMARY_VERSION = 1
Role = Literal["control", "reference", "strategy"]
Certainty = Literal["firm", "tentative", "open"]


class Quantile(Frozen):
    """One quantile of all launches' samples together, in ms; its interval from a jackknife over launches."""

    value: Estimate
    supported: bool  # at least 50 samples lie beyond it


class QuantileRatio(Frozen):
    """One quantile against the reference's: the ratio of quantiles of single blocks (or launches), never of percentiles
    averaged, and not the ratio of the two quantiles of all samples.
    """

    ratio: Ratio
    through: Literal["blocks", "launches"]  # launches: a block holds too few samples, those of a launch are merged
    compared: int  # blocks (or launches) with at least 50 samples beyond the quantile on both sides


class Latency(Frozen):
    """Latency of one strategy at one open-model load, from the intended start."""

    load: str  # the level, such as `rate@0.3`
    rate_rps: float  # the plan's
    samples: int
    launches: int
    quantiles: Mapping[str, Quantile]  # p50, p90, p99, p999
    service_p50_ms: float
    p50_to_reference: Ratio | None  # that of `to_reference`
    trials: tuple[int, ...]
    to_reference: Mapping[str, QuantileRatio] = {}  # by quantile; one that too few samples support is left out
    verdict: Verdict | None = None  # on p50 only; None for reference and control


class Row(Frozen):
    """One strategy at one combination of the other levels."""

    strategy: str
    role: Role
    freshness: str
    carrier: str
    location: str
    rank: int | None  # by CPU a request; None for the control and for what may not be ranked
    tied: bool  # too close to a neighbour to rank
    launches: int
    valid: int  # trials
    invalid: int
    cpu_ms: Estimate | None  # geometric mean over launches, whole stack
    cpu_ms_by_tier: Mapping[str, Estimate]
    to_control: Ratio | None
    to_reference: Ratio | None
    verdict: Verdict | None  # on CPU a request against the reference; None for reference and control
    launch_noise: float | None  # SD of log CPU between launches
    latency: tuple[Latency, ...]
    capacity_rps: Estimate | None
    connections_peak: float | None  # the most seen in any valid trial
    connections_mean: float | None
    connections_opened_per_s: float | None
    statements_per_request: float | None
    cache_commands_per_request: float | None
    auth_calls_per_request: float | None = None  # to the strategy's auth service; 0 where it has none
    transactions_per_request: float | None  # as verification counted them
    bytes_out_per_request: float | None
    bytes_in_per_request: float | None
    credential_bytes: float | None
    resident_mb_per_replica: float | None
    limited_by: str | None  # under `saturate`, most often
    cpu_trials: tuple[int, ...]


class Pair(Frozen):
    """Two strategies that differ in freshness only: the place's own cost and the user row's, kept apart."""

    location: str
    claims: str
    row: str
    claims_ms: Estimate
    row_ms: Estimate
    user_row_ms: Estimate | None  # row minus claims, within blocks
    location_ms: Estimate | None  # claims minus control, within blocks


class Comparison(Frozen):
    """Strategies compared at the same other levels (workload, replicas, …); rows by rank, the control first."""

    levels: Mapping[str, Level]
    rows: tuple[Row, ...]
    groups: tuple[tuple[str, ...], ...]  # strategies in order of CPU; neighbours too close to rank share a group
    pairs: tuple[Pair, ...]

    @property
    def title(self) -> str:
        """The other levels in words."""
        named = [f"{name} = {level}" for name, level in self.levels.items() if name not in ("workload", "replicas")]
        replicas = self.levels.get("replicas")
        told = [f"{replicas} replica{'' if replicas == 1 else 's'}"] if replicas is not None else []
        return ", ".join([str(self.levels.get("workload", "all requests")), *told, *named])

    def row(self, strategy: str) -> Row | None:
        """The row of that strategy."""
        return next((row for row in self.rows if row.strategy == strategy), None)


class Rejected(Frozen):
    """A contender that failed verification, or cannot run here: listed, never measured or ranked."""

    strategy: str
    verdict: Verdict
    problems: tuple[str, ...]
    unavailable: bool = False  # it was not even started on this machine


class InvalidTrial(Frozen):
    """A trial that does not count."""

    trial: int
    strategy: str
    cell: Mapping[str, Level]
    launch: int
    block: int
    attempt: int
    measured_again: bool  # a later attempt of the same measurement counted
    reasons: tuple[Reason, ...]


class Sentence(Frozen):
    """A plain sentence of the answer.

    `firm`: at least six launches, nothing left open; `tentative`: fewer launches, or a part left open; `open`: the
    run cannot say.
    """

    text: str
    certainty: Certainty


class Summary(Frozen):
    """All findings of one result folder; depends on nothing but manifest and trials."""

    summary_version: int = SUMMARY_VERSION
    question: Question
    answer: tuple[Sentence, ...]
    comparisons: tuple[Comparison, ...]
    rejected: tuple[Rejected, ...]
    trials: int
    valid: int
    invalid: tuple[InvalidTrial, ...]
    launch_noise: float | None  # median over strategies of the SD of log CPU between launches
    resolution: float | None  # median half-width of the ratios' intervals: smaller differences cannot be told apart
    cautions: tuple[Caution, ...]
