"""Calibration of tiers 0 and 1: the same counts taken several times, of the same build and of the burdened one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from authbench.backends.embedded import EmbeddedStack
from authbench.gate.arms import ArmName, Arms
from authbench.gate.calibration import CalibrationRow, clopper_pearson
from authbench.gate.counts import READ
from authbench.gate.instructions import METRIC, count_instructions, unavailable

REPEATS = 5
ENDPOINT = "whoami"
COUNTED = ("python_calls_per_request", "bytecodes_per_request")
Values = Mapping[ArmName, Sequence[float]]


def exact_rows(
    stack: EmbeddedStack, arms: Sequence[Arms], injected: float | None, margin: float
) -> list[CalibrationRow]:
    """A row for every strategy and count; instructions only where they can be counted."""
    rows = []
    for each in arms:
        begin = monotonic()
        counted = _counts(stack, each)
        seconds = (monotonic() - begin) / REPEATS
        rows += [_row(each.strategy, name, 0, counted[name], injected, margin, seconds) for name in COUNTED]
        if unavailable() is None:
            begin = monotonic()
            values = _instructions(stack, each)
            rows.append(_row(each.strategy, METRIC, 1, values, injected, margin, (monotonic() - begin) / REPEATS))
    return rows


def _counts(stack: EmbeddedStack, arms: Arms) -> dict[str, dict[ArmName, list[float]]]:
    found: dict[str, dict[ArmName, list[float]]] = {name: {} for name in COUNTED}
    for _ in range(REPEATS):
        operations = stack.operations_of(arms.all(), (ENDPOINT,))
        for arm, variant in arms.variants.items():
            for name in COUNTED:
                value = READ[name](operations[variant.name]["endpoints"][ENDPOINT])
                if value is not None:
                    found[name].setdefault(arm, []).append(value)
    return found


def _instructions(stack: EmbeddedStack, arms: Arms) -> dict[ArmName, list[float]]:
    found: dict[ArmName, list[float]] = {}
    for _ in range(REPEATS):
        with ThreadPoolExecutor(2) as pool:
            counted = pool.map(lambda variant: count_instructions(stack, variant.name), arms.all())
            for arm, endpoints in zip(arms.variants, counted, strict=True):
                found.setdefault(arm, []).append(endpoints[ENDPOINT])
    return found


def _row(
    strategy: str, metric: str, tier: int, values: Values, injected: float | None, margin: float, seconds: float
) -> CalibrationRow:
    """Repeats of one build paired with repeats of another: each pair is one verdict."""
    same = [b / a for a, b in zip(values.get("base", ()), values.get("cand", ()), strict=False)]
    slow = [b / a for a, b in zip(values.get("base", ()), values.get("slow", ()), strict=False)]
    alarms = sum(ratio > 1 + margin for ratio in same) / len(same) if same else 0.0
    found = sum(ratio > 1 + margin for ratio in slow) / len(slow) if slow else None
    largest = max((abs(ratio - 1) for ratio in same), default=0.0)
    return CalibrationRow(
        strategy=strategy,
        metric=metric,
        tier=tier,
        margin=margin,
        pairs=len(same),
        seconds=round(seconds * REPEATS, 1),
        false_alarm_rate=alarms,
        false_alarm_interval=clopper_pearson(alarms, len(same)) if same else (0.0, 1.0),
        passed_rate=1 - alarms if same else None,
        injected=injected,
        injected_measured=(slow[0] - 1, min(slow) - 1, max(slow) - 1) if slow else None,
        found_rate=found,
        found_interval=clopper_pearson(found, len(slow)) if found is not None else None,
        independent_verdicts=len(same),
        seconds_per_verdict=round(seconds, 1),
        smallest_change_found=margin + largest if same else None,  # no more than this count varies by itself
        spread_between_launches=largest if same else None,
    )
