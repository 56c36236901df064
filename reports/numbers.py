"""Numbers as text: always with their unit or interval, never with more digits than they are known to."""

from authbench.analysis.estimate import Estimate

DASH = "–"
MISSING = DASH


def ms(value: float | None) -> str:
    """Milliseconds, without the unit: three decimals below 1, then fewer."""
    if value is None:
        return MISSING
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def cpu(value: float | None) -> str:
    """CPU milliseconds, without the unit: microseconds still show."""
    return MISSING if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def plus_minus(estimate: Estimate | None) -> str:
    """CPU milliseconds with half the interval's width, `1.525 ± 0.014`; the value alone where there is none."""
    if estimate is None:
        return MISSING
    half = half_width(estimate)
    return cpu(estimate.value) if half is None else f"{cpu(estimate.value)} ± {cpu(half)}"


def half_width(estimate: Estimate) -> float | None:
    """Half the interval's width; None where there is none."""
    if estimate.low is None or estimate.high is None:
        return None
    return (estimate.high - estimate.low) / 2


def times(estimate: Estimate | None) -> str:
    """A ratio such as `0.64×`."""
    return MISSING if estimate is None else f"{_ratio(estimate.value)}×"


def between(estimate: Estimate | None) -> str:
    """The interval of a ratio such as `0.63–0.65`."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{_ratio(estimate.low)}{DASH}{_ratio(estimate.high)}"


def interval_cpu(estimate: Estimate | None) -> str:
    """The interval of CPU milliseconds such as `0.531–0.563`."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{cpu(estimate.low)}{DASH}{cpu(estimate.high)}"


def count(value: float | None) -> str:
    """A count: whole where it is whole, else two decimals."""
    if value is None:
        return MISSING
    return f"{round(value):,}" if abs(value - round(value)) < 0.005 else f"{value:,.2f}"


def whole(value: float | None) -> str:
    """A big number without decimals, with thousands separated."""
    return MISSING if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """A share as per cent with one decimal."""
    return MISSING if value is None else f"{100 * value:.1f} %"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"
