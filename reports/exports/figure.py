"""Every number of a run with its interval, as one flat list: what CSV and the benchmark trackers are made from.

Values are those of the report. Means over launches that the report shows without an interval get theirs from the same
trials; percentiles come from merged histograms only, never from averages of percentiles.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.counted import Levels, counted, observe, other_levels
from authbench.analysis.estimate import Estimate, mean
from authbench.analysis.findings import Comparison, Row, Summary
from authbench.analysis.rows import CPU
from authbench.analysis.verdict import Verdict
from authbench.metric import METRICS, Metric
from authbench.records import Level, Trial

ANY_LOAD = "any"
# What a row tells as a mean over launches: the metric's name is the row's own.
MEANS = (
    "connections_mean",
    "connections_opened_per_s",
    "statements_per_request",
    "cache_commands_per_request",
    "auth_calls_per_request",
    "bytes_per_request",
    "bytes_out_per_request",
    "bytes_in_per_request",
    "credential_bytes",
    "resident_mb_per_replica",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one strategy at one combination of the other levels; no value where no trial gives one."""

    title: str  # of the comparison
    levels: Mapping[str, Level]
    strategy: str
    load: str  # `saturate`, `rate@0.3`, … or `any`, where the metric is the same under all
    metric: Metric
    value: float | None
    low: float | None  # of the 95 % interval over launches
    high: float | None
    n: int  # launches
    supported: bool  # false for a quantile with fewer than 50 samples beyond it
    valid: bool  # false where the strategy's verdict is `invalid`
    verdict: Verdict | None  # on CPU a request against the reference; None for every other metric

    @property
    def half_width(self) -> float | None:
        """Half the interval's width; None where there is none."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def trackable(self) -> bool:
        """Whether a trend may be drawn from it."""
        return self.value is not None and self.supported and self.valid


def figures(summary: Summary, trials: Sequence[Trial]) -> tuple[Figure, ...]:
    """All figures, in the order of the report's rows; service time gives its median only."""
    by_row: dict[tuple[Levels, str], list[Trial]] = {}
    for trial in counted(trials):
        by_row.setdefault((other_levels(trial), trial.strategy), []).append(trial)
    return tuple(
        figure
        for comparison in summary.comparisons
        for row in comparison.rows
        for figure in _of_row(comparison, row, by_row.get((_key(comparison), row.strategy), []))
    )


def _key(comparison: Comparison) -> Levels:
    return tuple(sorted(comparison.levels.items()))


def _of_row(comparison: Comparison, row: Row, trials: Sequence[Trial]) -> Iterator[Figure]:
    def alone(name: str, load: str, value: float, n: int) -> Figure:
        return _figure(comparison, row, name, load, (value, None, None, n))

    def estimated(name: str, load: str, found: Estimate, *, supported: bool = True) -> Figure:
        told = (found.value, found.low, found.high, found.n)
        return _figure(comparison, row, name, load, told, supported=supported)

    if row.cpu_ms is None:  # the verdict is told even where there is no number
        yield _figure(comparison, row, CPU, "saturate", (None, None, None, 0))
    else:
        yield estimated(CPU, "saturate", row.cpu_ms)
    for tier, estimate in row.cpu_ms_by_tier.items():
        yield estimated(f"{CPU}_{tier}", "saturate", estimate)
    for latency in row.latency:
        for name, quantile in latency.quantiles.items():
            yield estimated(f"latency_{name}_ms", latency.load, quantile.value, supported=quantile.supported)
        yield alone("service_p50_ms", latency.load, latency.service_p50_ms, latency.launches)
    if row.capacity_rps is not None:
        yield estimated("capacity_rps", "saturate", row.capacity_rps)
    if row.connections_peak is not None:
        yield alone("connections_peak", ANY_LOAD, row.connections_peak, row.launches)
    for name in MEANS:
        if (found := mean(observe(trials, name), METRICS[name].unit)) is not None:
            yield estimated(name, ANY_LOAD, found)


def _figure(
    comparison: Comparison,
    row: Row,
    name: str,
    load: str,
    told: tuple[float | None, float | None, float | None, int],
    *,
    supported: bool = True,
) -> Figure:
    return Figure(
        comparison.title,
        comparison.levels,
        row.strategy,
        load,
        METRICS[name],
        *told,
        supported=supported,
        valid=row.verdict is None or row.verdict.word != "invalid",
        verdict=row.verdict if name == CPU else None,
    )
