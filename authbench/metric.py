"""Every metric once: its name, unit, better direction, how it is read from a trial, and what it may be used for.

Verdicts, tables, charts, the gate and exports all read this one list. "CPU a request" is CPU of the whole stack (every
tier but the generator) for each RIGHT answer; counts a request are counters over requests SENT.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Literal

from authbench.histogram import decode
from authbench.records import Database, Tier, Trial

STACK_TIERS: tuple[Tier, ...] = ("lb", "app", "db", "cache", "auth", "vault")
QUANTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}

Better = Literal["lower", "higher"]
Source = Literal["saturate", "rate", "any"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing a trial can say.

    `exact` marks a count, the same at every run: any change is a change. `source` is the load model it may come from:
    under the other one `of` answers None, so that the latency of a saturated system can never be ranked.
    """

    name: str
    label: str
    unit: str
    better: Better
    exact: bool
    source: Source
    read: Callable[[Trial], float | None]

    def of(self, trial: Trial) -> float | None:
        """The trial's value in `unit`; None where it has none, or where its load model may not give one."""
        if self.source not in ("any", trial.load.model):
            return None
        return self.read(trial)


def cpu_ms(trial: Trial, tiers: tuple[Tier, ...] = STACK_TIERS) -> float | None:
    """CPU milliseconds of these tiers for each right answer; None where there was none."""
    if not trial.load.ok:
        return None
    return 1000 * sum(trial.cpu_s.get(tier, 0.0) for tier in tiers) / trial.load.ok


def _quantile(trial: Trial, histogram: Literal["latency_hist", "service_hist"], share: float) -> float | None:
    value = decode(getattr(trial.load, histogram)).quantile_us(share)
    return None if value is None else value / 1000


def _a_request(trial: Trial, count: float | None) -> float | None:
    return count / trial.load.sent if count is not None and trial.load.sent else None


def _databases(trial: Trial, read: Callable[[Database], float]) -> float | None:
    """Added over the servers: a strategy whose sessions have their own uses two. Peaks are each server's own."""
    if trial.database is None:
        return None
    return read(trial.database) + (read(trial.session_database) if trial.session_database else 0)


def _statements(trial: Trial) -> float | None:
    return _a_request(trial, _databases(trial, lambda database: database.statements))


def _cache_commands(trial: Trial) -> float | None:
    return _a_request(trial, None if trial.cache is None else trial.cache.commands)


def _auth_calls(trial: Trial) -> float | None:
    return _a_request(trial, trial.auth_calls or 0)  # no service: nothing is asked of one


def _opened_per_s(trial: Trial) -> float | None:
    opened = _databases(trial, lambda database: database.connections_opened)
    return None if opened is None or not trial.load.window_s else opened / trial.load.window_s


def _resident_mb(trial: Trial) -> float | None:
    return fmean(trial.resident_bytes.values()) / 1e6 if trial.resident_bytes else None


def _noisy(name: str, label: str, unit: str, source: Source, read: Callable[[Trial], float | None]) -> Metric:
    return Metric(name, label, unit, "lower", exact=False, source=source, read=read)


def _count(name: str, label: str, unit: str, read: Callable[[Trial], float | None]) -> Metric:
    return Metric(name, label, unit, "lower", exact=True, source="any", read=read)


def _all() -> tuple[Metric, ...]:
    return (
        _noisy("cpu_ms_per_request", "CPU a request, whole stack", "ms", "saturate", cpu_ms),
        *(
            _noisy(
                f"cpu_ms_per_request_{tier}",
                f"CPU a request, {tier}",
                "ms",
                "saturate",
                partial(cpu_ms, tiers=(tier,)),
            )
            for tier in STACK_TIERS
        ),
        *(
            _noisy(
                f"latency_{name}_ms",
                f"latency {name} from the intended start",
                "ms",
                "rate",
                partial(_quantile, histogram="latency_hist", share=share),
            )
            for name, share in QUANTILES.items()
        ),
        *(
            _noisy(
                f"service_{name}_ms",
                f"service time {name} from the actual send",
                "ms",
                "rate",
                partial(_quantile, histogram="service_hist", share=share),
            )
            for name, share in QUANTILES.items()
        ),
        Metric(
            "capacity_rps",
            "right answers a second, saturated",
            "requests/s",
            "higher",
            exact=False,
            source="saturate",
            read=lambda trial: trial.load.achieved_rps,
        ),
        # The kernel's and the pool's timing decide how many of the allowed connections are open: counts, yet not exact.
        _noisy(
            "connections_peak",
            "database connections, peak",
            "connections",
            "any",
            partial(_databases, read=lambda database: database.connections_peak),
        ),
        _noisy(
            "connections_mean",
            "database connections, mean",
            "connections",
            "any",
            partial(_databases, read=lambda database: database.connections_mean),
        ),
        _noisy("connections_opened_per_s", "database connections opened", "connections/s", "any", _opened_per_s),
        _count("statements_per_request", "SQL statements a request", "statements", _statements),
        _count("cache_commands_per_request", "cache commands a request", "commands", _cache_commands),
        _count("auth_calls_per_request", "auth service calls a request", "calls", _auth_calls),
        _count(
            "bytes_per_request",
            "bytes a request, both ways",
            "bytes",
            lambda trial: _a_request(trial, trial.load.bytes_in + trial.load.bytes_out),
        ),
        _count(
            "bytes_out_per_request",
            "bytes sent a request",
            "bytes",
            lambda trial: _a_request(trial, trial.load.bytes_out),
        ),
        _count(
            "bytes_in_per_request",
            "bytes received a request",
            "bytes",
            lambda trial: _a_request(trial, trial.load.bytes_in),
        ),
        _count("credential_bytes", "bytes of the credential", "bytes", lambda trial: trial.credential_bytes),
        _noisy("resident_mb_per_replica", "resident memory a replica", "MB", "any", _resident_mb),
    )


METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _all()}
