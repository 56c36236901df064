"""`authbench calibrate`: the same build against itself, and against itself with a known burden, on real strategies."""

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.errors import InvalidRunError
from authbench.gate import calibration
from authbench.gate.against import alternation, arms_stack
from authbench.gate.arms import ArmName, Arms, burdened, same_arms
from authbench.gate.calibration import Calibration, CalibrationRow
from authbench.gate.decision import Plan, bounds
from authbench.gate.exact_calibration import exact_rows
from authbench.gate.gated import CPU
from authbench.gate.limits import MAX_REGRESSION
from authbench.gate.windows import ROUNDS, Alternation, Cost, Window, cpu, launch_log, round_logs
from authbench.journal import Journal
from authbench.machine import library_versions, source_state, split_cores, this_machine
from authbench.progress import Watcher
from authbench.runner import interruptible

PILOT_TURNS = 10_000  # enough to stand out of the noise; cost is proportional to turns
PILOT_LAUNCHES = 3
FEWEST_LAUNCHES = 4  # below, there is nothing to draw from
COSTS: Mapping[str, Cost] = {
    CPU: cpu,
    "cpu_ms_per_request_app": lambda window: 1000 * window.cpu_s["app"] / window.ok,
    "window_ms_per_request": lambda window: 1000 * window.window_s / window.ok,
}


@dataclass(frozen=True, slots=True)
class CalibrationOrder:
    """What the user asked for."""

    strategies: tuple[Strategy, ...]
    minutes: float
    inject: float | None  # share of the strategy's CPU a request, whole stack
    windows: Path  # receives every window
    margin: float = MAX_REGRESSION
    exact: bool = True  # tiers 0 and 1 too
    seed: int = 1
    plan: Plan = field(default_factory=Plan)


def calibrate(order: CalibrationOrder, watcher: Watcher) -> Calibration:
    """Measures launches for the time given, then draws verdicts from them.

    ^C ends the measuring, not the answer: what was measured by then is what is drawn from, without tiers 0 and 1; with
    too few launches to draw from it is a KeyboardInterrupt. Raises StackError where a part fails.
    """
    started, began = datetime.now(UTC), time.monotonic()
    arms = tuple(same_arms(strategy, order.inject is not None) for strategy in order.strategies)
    turns: dict[str, int] = {}
    rows: list[CalibrationRow] = []
    launches: list[list[Window]] = []
    seconds: list[float] = []
    interrupted = False
    with interruptible(), arms_stack(arms, watcher) as stack:
        try:
            with alternation(stack, arms, order.seed) as measured:
                if order.inject is not None:
                    turns = titrate(order, stack, measured, watcher)
                _measure(order, measured, watcher, launches, seconds)
        except KeyboardInterrupt:
            if len(launches) < FEWEST_LAUNCHES:
                raise
            interrupted = True
            watcher.say(f"interrupted: going on with the {len(launches)} launches measured so far")
        stack.stop_replicas()
        if order.exact and not interrupted:
            watcher.phase("tiers 0 and 1, several times over")
            rows += exact_rows(stack, arms, order.inject, order.margin)
    watcher.phase("drawing verdicts")
    a_launch = fmean(seconds) / len(arms)
    noisy = [row for each in arms for row in _rows(order, each, launches, a_launch)]
    return Calibration(
        started_utc=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        machine=this_machine(split_cores(frozenset(os.sched_getaffinity(0)))),
        versions=library_versions(),
        git_commit=source_state()[0],
        plan=order.plan,
        burden_turns=turns,
        rows=(*noisy, *rows),
    )


def titrate(order: CalibrationOrder, stack: EmbeddedStack, measured: Alternation, watcher: Watcher) -> dict[str, int]:
    """Strategy -> turns that cost the share asked for, from what PILOT_TURNS of them cost here."""
    assert order.inject is not None
    watcher.phase("finding how much work is the share to inject")
    for strategy in order.strategies:
        stack.swap(burdened(strategy, PILOT_TURNS))
    windows: list[Window] = []
    for number in range(PILOT_LAUNCHES):
        # Rounds are told apart by their number alone.
        found = measured.launch(0, number)
        windows += [window.model_copy(update={"round": window.round + number * ROUNDS}) for window in found]
    turns = {}
    for strategy in order.strategies:
        mine = [window for window in windows if window.strategy == strategy.name]
        logs = round_logs(mine, "slow")
        more = math.expm1(median(logs)) if logs else 0.0
        if more <= 0:
            raise InvalidRunError(f"{strategy.name}: {PILOT_TURNS} turns of work cost nothing that is measurable here")
        turns[strategy.name] = max(1, round(order.inject / more * PILOT_TURNS))
        stack.swap(burdened(strategy, turns[strategy.name]))
    return turns


def _measure(
    order: CalibrationOrder,
    measured: Alternation,
    watcher: Watcher,
    launches: list[list[Window]],
    seconds: list[float],
) -> None:
    end = time.monotonic() + 60 * order.minutes
    with Journal(order.windows, "free some space and calibrate anew") as journal:
        while (begin := time.monotonic()) < end or len(launches) < FEWEST_LAUNCHES:
            watcher.phase(f"launch {len(launches) + 1}")
            found = measured.launch(1, len(launches))
            journal.append(*found)
            launches.append(found)
            seconds.append(time.monotonic() - begin)
            watcher.measured(60 * order.minutes - max(0.0, end - time.monotonic()), 60 * order.minutes)


def _rows(
    order: CalibrationOrder, arms: Arms, launches: Sequence[Sequence[Window]], seconds_a_launch: float
) -> list[CalibrationRow]:
    mine = [[window for window in launch if window.strategy == arms.strategy] for launch in launches]
    return [_row(order, arms.strategy, metric, cost, mine, seconds_a_launch) for metric, cost in COSTS.items()]


def _row(
    order: CalibrationOrder,
    strategy: str,
    metric: str,
    cost: Cost,
    launches: Sequence[Sequence[Window]],
    seconds_a_launch: float,
) -> CalibrationRow:
    def logs_of(arm: ArmName) -> list[float]:
        found = (launch_log(launch, arm, cost) for launch in launches)
        return [log for log in found if log is not None]

    same, slow = logs_of("cand"), logs_of("slow")
    plan, margin, seed = order.plan, order.margin, order.seed
    alarms = calibration.drawn_verdicts(same, plan, margin, seed)
    alarm = alarms.rate("regression", len(same))
    finds = calibration.drawn_verdicts(slow, plan, margin, seed) if slow else None
    found = finds.rate("regression", len(slow)) if finds else None
    dose = bounds(slow)
    spread = calibration.spread_of(same, [round_logs(launch, "cand", cost) for launch in launches])
    return CalibrationRow(
        strategy=strategy,
        metric=metric,
        tier=2,
        margin=margin,
        pairs=len(same),
        seconds=round(seconds_a_launch * len(same), 1),
        false_alarm_rate=alarm.rate,
        false_alarm_interval=alarm.interval,
        passed_rate=fmean(outcome == "pass" for outcome in alarms.outcomes),
        injected=order.inject,
        injected_measured=(
            (dose.ratio - 1, dose.interval[0] - 1, dose.interval[1] - 1) if dose and dose.interval else None
        ),
        found_rate=found.rate if found else None,
        found_interval=found.interval if found else None,
        independent_verdicts=alarm.independent,
        seconds_per_verdict=round(seconds_a_launch * fmean((finds or alarms).launches), 1),
        simulated_false_alarm_rate=calibration.simulated_rate(same, plan, margin, seed),
        simulated_found_rate=(
            calibration.simulated_rate(same, plan, margin, seed, order.inject) if order.inject is not None else None
        ),
        smallest_change_found=calibration.smallest_change(same, plan, margin, seed),
        smallest_change_by_seconds=calibration.changes_by_seconds(same, margin, seconds_a_launch, seed),
        spread_between_launches=spread.between_launches,
        spread_between_rounds=spread.between_rounds,
    )
