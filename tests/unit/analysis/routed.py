"""Observations of a made-up `routing` run: known shares, and latencies with a known bend."""

from collections.abc import Mapping, Sequence

from authbench.histogram import new_histogram
from authbench.observed import Observation
from authbench.records import Reason

RATES = (100.0, 300.0, 500.0)
UNDISTURBED: tuple[Reason, ...] = ()


def login(  # one launch's count
    strategy: str,
    method: str,
    event: str,
    logged_out: float,
    *,
    store: str = "replica",
    launch: int = 0,
    clients: str = "many networks",
    moved: float | None = None,
    busiest: float = 0.5,
    reasons: tuple[Reason, ...] = UNDISTURBED,
) -> Observation:
    return Observation(
        kind="routing",
        launch=launch,
        levels={
            "part": "logins",
            "strategy": strategy,
            "store": store,
            "method": method,
            "event": event,
            "clients": clients,
        },
        values={
            "logged_out_share": logged_out,
            "refused_share": logged_out,
            "moved_share": logged_out if moved is None else moved,
            "busiest_share": busiest,
            "users": 60.0,
        },
        reasons=reasons,
    )


def window(
    strategy: str, method: str, rate_rps: float, latencies_ms: Sequence[float], *, launch: int = 0, kept_up: float = 1.0
) -> Observation:
    """One launch's window: how many of `latencies_ms` are recorded is how many samples there are."""
    histogram = new_histogram()
    for value in latencies_ms:
        histogram.record_value(round(1000 * value))
    return Observation(
        kind="routing",
        launch=launch,
        levels={"part": "load", "strategy": strategy, "method": method, "rate_share": rate_rps / RATES[-1]},
        values={
            "offered_rps": rate_rps,
            "achieved_rps": rate_rps * kept_up,
            "latency_p50_ms": None,
            "latency_p99_ms": None,
            "stack_busy_share": 0.95,
        },
        histograms={"latency": histogram.encode().decode()},
    )


def tailed(median_ms: float, tail_ms: float, samples: int) -> list[float]:
    """So many samples, of which 3 in 100 take `tail_ms`."""
    slow = round(samples * 0.03)
    return [median_ms] * (samples - slow) + [tail_ms] * slow


def rise(strategy: str, method: str, tails_ms: Mapping[float, float], launches: int, samples: int) -> list[Observation]:
    """A strategy's windows in every launch, by rate."""
    return [
        window(strategy, method, rate, tailed(2.0, tail * (1 + 0.01 * launch), samples), launch=launch)
        for launch in range(launches)
        for rate, tail in tails_ms.items()
    ]
