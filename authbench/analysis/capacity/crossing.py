"""Where two strategies change places: what is cheaper for few requests need not be for many."""

import math
from collections.abc import Callable, Mapping

from authbench.records import Frozen

FROM_RPS, TO_RPS = 1e2, 1e7
STEPS = 400  # logarithmic; a crossing is found to within 3 %


class Crossing(Frozen):
    """Beyond `rps` the second one costs less."""

    cheaper_below: str
    cheaper_above: str
    rps: float


def crossings(costs: Mapping[str, Callable[[float], float]]) -> tuple[Crossing, ...]:
    """Every rate at which two of these costs (of a rate, each) change their order for good, lowest first.

    Costs rise in steps, so that two may change places many times around one rate: told is where it happens last.
    """
    grid = [FROM_RPS * (TO_RPS / FROM_RPS) ** (step / STEPS) for step in range(STEPS + 1)]
    values = {name: [cost(rate) for rate in grid] for name, cost in costs.items()}
    names = list(costs)
    found = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            signs = [_sign(a - b) for a, b in zip(values[first], values[second], strict=True)]
            turns = [step for step in range(1, len(grid)) if signs[step] and signs[step] != _before(signs, step)]
            turns = [step for step in turns if _before(signs, step)]
            if turns and signs[turns[-1]] != next(sign for sign in signs if sign):
                below, above = (first, second) if signs[turns[-1]] > 0 else (second, first)
                found.append(Crossing(cheaper_below=below, cheaper_above=above, rps=grid[turns[-1]]))
    return tuple(sorted(found, key=lambda crossing: crossing.rps))


def _before(signs: list[int], step: int) -> int:
    """The last sign before that step that is one; 0 where there is none."""
    return next((sign for sign in reversed(signs[:step]) if sign), 0)


def _sign(value: float) -> int:
    return 0 if math.isclose(value, 0, abs_tol=1e-12) else 1 if value > 0 else -1
