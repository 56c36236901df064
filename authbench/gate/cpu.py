"""Tier 2's two stages: launches are added until every strategy has an answer or the clock runs out."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import geometric_mean

from authbench.gate.arms import ArmName
from authbench.gate.decision import Decision, Plan, bounds, decide, enough, is_above, is_below
from authbench.gate.gated import CPU, ELAPSED, GATED
from authbench.gate.limits import Limits
from authbench.gate.result import GateRow, Twin
from authbench.gate.windows import Window, elapsed, launch_log

STAGES = (1, 2)
FEWEST_IN_TIME = 3  # launches a stage whatever the clock says
Launch = Callable[[int, int, Sequence[str]], Sequence[Window]]  # stage, number of the launch, strategies


@dataclass(slots=True)
class Readings:
    """Log ratios to the base by strategy, arm and stage, and the costs behind them."""

    logs: dict[tuple[str, ArmName, int], list[float]] = field(default_factory=dict)
    waited: dict[tuple[str, int], list[float]] = field(default_factory=dict)  # the candidate's time to the base's
    costs: dict[tuple[str, ArmName], list[float]] = field(default_factory=dict)  # ms a request, a window each

    def add(self, stage: int, windows: Sequence[Window]) -> None:
        """Takes the windows of one launch in."""
        for strategy in dict.fromkeys(window.strategy for window in windows):
            mine = [window for window in windows if window.strategy == strategy]
            for arm in ("twin", "cand"):
                log = launch_log(mine, arm)
                if log is not None:
                    self.logs.setdefault((strategy, arm, stage), []).append(log)
            waited = launch_log(mine, "cand", elapsed)
            if waited is not None:
                self.waited.setdefault((strategy, stage), []).append(waited)
            for window in mine:
                if window.ok == window.requests:
                    self.costs.setdefault((strategy, window.arm), []).append(window.cpu_ms_per_request)

    def of(self, strategy: str, arm: ArmName, stage: int) -> list[float]:
        """The launches' log ratios of one stage."""
        return self.logs.get((strategy, arm, stage), [])

    def waits(self, strategy: str, stage: int, allowed: float) -> bool:
        """Whether one stage says that the candidate's answers certainly take that much longer than the base's."""
        return is_above(bounds(self.waited.get((strategy, stage), [])), allowed)

    def decision(self, strategy: str, arm: ArmName, margin: float) -> Decision:
        """What the stages measured so far say."""
        second = self.logs.get((strategy, arm, 2))
        return decide(self.of(strategy, arm, 1), second, margin)


def measure_stages(
    strategies: Sequence[str],
    margins: Mapping[str, float],
    plan: Plan,
    launch: Launch,
    stage_s: float,
    clock: Callable[[], float] = time.monotonic,
    progress: Callable[[float, float], None] = lambda _done, _planned: None,
    *,
    allowed_wait: float = math.inf,
) -> Readings:
    """Both stages; the second only for strategies that the first has not passed.

    `margins`: largest regression allowed, by strategy; `allowed_wait`: that of the time to the answer. `stage_s`:
    seconds a stage; at least FEWEST_IN_TIME launches are made however long they take.
    """
    readings = Readings()
    number = 0
    for stage in STAGES:
        waiting = [
            each
            for each in strategies
            if stage == 1
            or not is_below(bounds(readings.of(each, "cand", 1)), margins[each])
            or readings.waits(each, 1, allowed_wait)
        ]
        began, made = clock(), 0
        while waiting and (made < FEWEST_IN_TIME or clock() - began < stage_s):
            readings.add(stage, launch(stage, number, waiting))
            number, made = number + 1, made + 1
            waiting = [s for s in waiting if not enough(readings.of(s, "cand", stage), plan)]
            progress(min(clock() - began, stage_s) + (stage - 1) * stage_s, stage_s * len(STAGES))
    return readings


def cpu_rows(readings: Readings, strategies: Sequence[str], limits: Limits) -> tuple[list[GateRow], list[Twin]]:
    """A row a strategy, and how its twin stood. Where the twin is off by more than the margin, the row is invalid."""
    rows, twins = [], []
    for strategy in strategies:
        limit = limits.of(strategy, CPU)
        told = readings.decision(strategy, "cand", limit.most)
        twin = readings.decision(strategy, "twin", limit.most)
        twins.append(Twin(strategy=strategy, metric=CPU, outcome=twin.outcome, bounds=twin.all or twin.first))
        found = told.all or told.first
        row = GateRow(
            tier=2,
            strategy=strategy,
            endpoint="whoami",
            metric=CPU,
            unit=GATED[CPU].unit,
            base=_cost(readings, strategy, "base"),
            candidate=_cost(readings, strategy, "cand"),
            ratio=found.ratio if found else None,
            interval=found.interval if found else None,
            launches=found.launches if found else 0,
            limit=limit.told(),
            outcome=told.outcome,
            why=told.why,
        )
        if _is_off(twin, limit.most):
            assert twin.first is not None
            ratio = (twin.all or twin.first).ratio
            row = row.but("invalid", f"the base's own twin differs from it by {100 * (ratio - 1):+.1f} %")
        rows.append(row)
    return rows, twins


def elapsed_rows(readings: Readings, strategies: Sequence[str], limits: Limits) -> list[GateRow]:
    """A row a strategy on the time to the answer: a regression only where both stages are certain of it.

    Never inconclusive: it is a net for what waits without using CPU, and proves nothing where it catches nothing.
    """
    rows = []
    for strategy in strategies:
        limit = limits.of(strategy, ELAPSED)
        logs = [log for stage in STAGES for log in readings.waited.get((strategy, stage), [])]
        found = bounds(logs)
        late = all(readings.waits(strategy, stage, limit.most) for stage in STAGES)
        rows.append(
            GateRow(
                tier=2,
                strategy=strategy,
                endpoint="whoami",
                metric=ELAPSED,
                unit=GATED[ELAPSED].unit,
                ratio=found.ratio if found else None,
                interval=found.interval if found else None,
                launches=found.launches if found else 0,
                limit=limit.told(),
                outcome="regression" if late else "pass",
                why=f"both stages lie above {limit.told()}" if late else f"not certainly above {limit.told()}",
            )
        )
    return rows


def _is_off(twin: Decision, margin: float) -> bool:
    """Whether two arms of one build certainly differ by more than the margin, either way."""
    found = twin.all or twin.first
    if found is None or found.interval is None:
        return False
    low, high = found.interval
    return low > 1 + margin or high < 1 / (1 + margin)


def _cost(readings: Readings, strategy: str, arm: ArmName) -> float | None:
    costs = readings.costs.get((strategy, arm))
    return geometric_mean(costs) if costs else None
