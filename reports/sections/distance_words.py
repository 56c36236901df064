"""Words of the distance section."""

from collections.abc import Sequence

from authbench.analysis.counted import Levels
from authbench.analysis.estimate import Estimate
from authbench.experiments.relay.measures import NO_PRESSURE
from reports.distances import SHOWN, Overtaking, RelayError
from reports.numbers import DASH, half_width, ms, whole

STORES = {"postgres": "PostgreSQL", "valkey": "Valkey"}


def slope_text(slope: Estimate) -> str:
    """Milliseconds a millisecond, with half the interval."""
    half = half_width(slope)
    value = round(slope.value, 2) + 0.0  # never "-0.00"
    return f"{value:.2f}" if half is None else f"{value:.2f} ± {half:.2f}"


def latency_text(estimate: Estimate | None) -> str:
    """Milliseconds, with half the interval."""
    if estimate is None:
        return DASH
    half = half_width(estimate)
    return ms(estimate.value) if half is None else f"{ms(estimate.value)} ± {ms(half)}"


def rate_text(estimate: Estimate | None) -> str:
    """Requests a second, with half the interval."""
    if estimate is None:
        return DASH
    half = half_width(estimate)
    return whole(estimate.value) if half is None else f"{whole(estimate.value)} ± {whole(half)}"


def crossing_text(each: Overtaking) -> str:
    """The distance with its interval; nothing is nearer than 0."""
    at = each.at
    if at.low is None or at.high is None:
        return f"{at.at_ms:.2f} ms"
    return f"{at.at_ms:.2f} ms ({max(at.low, 0.0):.2f}–{at.high:.2f})"


def error_text(error: RelayError | None) -> str:
    """p50 and, in parentheses, the others, in µs."""
    if error is None:
        return DASH
    p50, p90, p99 = (error.error_us[name] for name in SHOWN)
    return f"{p50:.0f} ({p90:.0f}, {p99:.0f})"


def late_text(errors: Sequence[RelayError]) -> str:
    """The greatest p99 of the relay's own lateness, in µs."""
    return f"{max(each.late_us['p99'] for each in errors):.0f}"


def way_text(store: str, pressure: str) -> str:
    """A store, and what others did meanwhile."""
    name = STORES.get(store, store)
    return name if pressure == NO_PRESSURE else f"{name}, others {pressure}"


def span_text(values: Sequence[float]) -> str:
    """The least and the greatest, where they differ."""
    low, high = min(values), max(values)
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f}–{high:.0f}"


def setting_text(setting: Levels) -> str:
    """What else varies."""
    return ", ".join(f"{name} = {level}" for name, level in setting)
