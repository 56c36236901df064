"""One strategy's row at one combination of the other levels: every number that tables and charts show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from authbench.analysis.counted import observe
from authbench.analysis.estimate import Estimate, Observation, Ratio, geometric_mean, launch_means, log_spread, mean
from authbench.analysis.findings import Role, Row
from authbench.analysis.latency import latencies
from authbench.analysis.verdict import Verdict
from authbench.metric import METRICS, STACK_TIERS
from authbench.records import Contender, Trial

CPU = "cpu_ms_per_request"


@dataclass(frozen=True, slots=True)
class Standing:
    """What was decided about a strategy among the others."""

    role: Role
    rank: int | None
    tied: bool
    to_control: Ratio | None
    to_reference: Ratio | None
    verdict: Verdict | None


def make_row(
    contender: Contender,
    standing: Standing,
    trials: Sequence[Trial],
    invalid: int,
    reference: Sequence[Trial],
    shares: Mapping[str, int],
) -> Row:
    """The row of counted `trials`; `shares` is the workload: endpoint -> share of the requests."""
    cpu = observe(trials, CPU)
    saturated = [trial for trial in trials if trial.load.model == "saturate"]
    limits = Counter(trial.limited_by for trial in saturated)
    return Row(
        strategy=contender.name,
        role=standing.role,
        freshness=contender.freshness,
        carrier=contender.carrier,
        location=contender.location,
        rank=standing.rank,
        tied=standing.tied,
        launches=len({trial.launch for trial in trials}),
        valid=len(trials),
        invalid=invalid,
        cpu_ms=geometric_mean(cpu, "ms"),
        cpu_ms_by_tier=_by_tier(saturated),
        to_control=standing.to_control,
        to_reference=standing.to_reference,
        verdict=standing.verdict,
        launch_noise=log_spread(cpu),
        latency=latencies(trials, reference),
        capacity_rps=geometric_mean(observe(trials, "capacity_rps"), METRICS["capacity_rps"].unit),
        connections_peak=max(_values(trials, "connections_peak"), default=None),
        connections_mean=_mean(trials, "connections_mean"),
        connections_opened_per_s=_mean(trials, "connections_opened_per_s"),
        statements_per_request=_mean(trials, "statements_per_request"),
        cache_commands_per_request=_mean(trials, "cache_commands_per_request"),
        auth_calls_per_request=_mean(trials, "auth_calls_per_request"),
        transactions_per_request=expected(contender, "transactions", shares),
        bytes_out_per_request=_mean(trials, "bytes_out_per_request"),
        bytes_in_per_request=_mean(trials, "bytes_in_per_request"),
        credential_bytes=_mean(trials, "credential_bytes"),
        resident_mb_per_replica=_mean(trials, "resident_mb_per_replica"),
        limited_by=min(limits, key=lambda label: (-limits[label], label)) if limits else None,
        cpu_trials=tuple(trial.trial for trial in saturated),
    )


def expected(contender: Contender, kind: str, shares: Mapping[str, int]) -> float | None:
    """Operations a request of this workload, as verification counted them; None where an endpoint was not counted."""
    total = sum(shares.values())
    if not total or any(kind not in contender.operations.get(endpoint, {}) for endpoint in shares):
        return None
    return sum(contender.operations[endpoint][kind] * share for endpoint, share in shares.items()) / total


def _by_tier(trials: Sequence[Trial]) -> dict[str, Estimate]:
    found = {tier: mean(observe(trials, f"{CPU}_{tier}"), "ms") for tier in STACK_TIERS}
    return {tier: value for tier, value in found.items() if value is not None and value.value > 0}


def _values(trials: Sequence[Trial], metric: str) -> list[float]:
    return [row.value for row in observe(trials, metric)]


def _mean(trials: Sequence[Trial], metric: str) -> float | None:
    rows: list[Observation] = observe(trials, metric)
    return fmean(launch_means(rows)) if rows else None
