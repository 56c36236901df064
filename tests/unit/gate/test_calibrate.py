"""Rows of a calibration from windows made by hand; the work to inject from a pilot. No stack is started."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from apps.contract.registry import strategies
from authbench.errors import InvalidRunError
from authbench.gate import calibrate, calibration
from authbench.gate.arms import ArmName, Arms
from authbench.gate.calibrate import COSTS, PILOT_TURNS, CalibrationOrder
from authbench.gate.calibration import CalibrationRow
from authbench.gate.decision import Plan
from authbench.gate.windows import Window
from authbench.progress import Silent
from tests.unit.gate.made import CPU, launched, window

JWT = strategies()["jwt-hs256"]
PLAN = Plan(fewest=3, most=6)


def order(folder: Path, **other: Any) -> CalibrationOrder:
    told: dict[str, Any] = {
        "strategies": (JWT,),
        "minutes": 1.0,
        "inject": None,
        "windows": folder / "windows.jsonl",
        "plan": PLAN,
    }
    return CalibrationOrder(**{**told, **other})


def run(count: int, slow: float | None = None, spread: float = 0.002) -> list[list[Window]]:
    """Launches of one build against itself, and one with a burden."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(count):
        launch = launched(float(rng.normal(0, spread)), strategy=JWT.name, launch=number, rounds=3)
        if slow is not None:
            cost = math.exp(math.log1p(slow) + rng.normal(0, spread))
            launch += [window("slow", cost, strategy=JWT.name, launch=number, turn=turn) for turn in range(3)]
        found.append(launch)
    return found


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "SEARCH_DRAWS", 20)


def rows_of(
    asked: CalibrationOrder, launches: Sequence[Sequence[Window]], seconds: float = 2.0
) -> list[CalibrationRow]:
    return calibrate._rows(asked, Arms(JWT.name, {}), launches, seconds)


def test_a_row_for_every_cost(tmp_path: Path) -> None:
    rows = rows_of(order(tmp_path), run(12))
    assert [row.metric for row in rows] == list(COSTS)
    assert {(row.strategy, row.tier, row.margin, row.pairs, row.seconds) for row in rows} == {
        (JWT.name, 2, 0.03, 12, 24.0)
    }


def test_of_one_build_nothing_is_found_and_nothing_injected(tmp_path: Path) -> None:
    row = rows_of(order(tmp_path), run(12))[0]
    assert row.metric == CPU
    assert (row.false_alarm_rate, row.passed_rate) == (0.0, 1.0)
    assert row.false_alarm_interval == calibration.clopper_pearson(0.0, row.independent_verdicts)
    assert (row.injected, row.injected_measured, row.found_rate, row.found_interval) == (None, None, None, None)
    assert row.independent_verdicts == 4  # twelve launches, three a verdict
    assert row.seconds_per_verdict == 6.0
    assert row.spread_between_launches == pytest.approx(0.002, rel=0.6)
    assert row.smallest_change_found is not None
    assert row.smallest_change_found > 0.03


def test_what_was_injected_is_measured_and_found(tmp_path: Path) -> None:
    row = rows_of(order(tmp_path, inject=0.06), run(12, slow=0.06))[0]
    assert row.injected == 0.06
    assert row.injected_measured is not None
    ratio, low, high = row.injected_measured
    assert low < ratio < high
    assert ratio == pytest.approx(0.06, abs=0.01)
    assert row.found_rate == 1.0
    assert row.found_interval == calibration.clopper_pearson(1.0, 2)  # two stages of three a verdict
    assert row.seconds_per_verdict == 12.0


def test_other_strategies_launches_are_not_mixed_in(tmp_path: Path) -> None:
    launches = [[*each, *launched(2.0, strategy="other", rounds=3)] for each in run(12)]
    assert rows_of(order(tmp_path), launches) == rows_of(order(tmp_path), run(12))


def test_launches_that_do_not_count_are_no_pairs(tmp_path: Path) -> None:
    launches = run(12)
    launches[3] = [each.model_copy(update={"ok": 99}) for each in launches[3]]
    row = rows_of(order(tmp_path), launches)[0]
    assert (row.pairs, row.seconds) == (11, 22.0)


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    asked = order(tmp_path, seed=5)
    assert rows_of(asked, run(6, spread=0.02)) == rows_of(asked, run(6, spread=0.02))


# The pilot


class Pilot:
    """A stack and its launches: a turn costs so much, whatever the strategy's own cost."""

    def __init__(self, a_turn_ms: float, ok: int = 100) -> None:
        self.a_turn_ms = a_turn_ms
        self.ok = ok
        self.turns = 0
        self.swapped: list[int] = []
        self.launches = 0

    def swap(self, variant: SimpleNamespace) -> None:
        self.turns = int(variant.environment["AUTHBENCH_BURDEN_TURNS"])
        self.swapped.append(self.turns)

    def launch(self, stage: int, number: int) -> list[Window]:
        assert stage == 0
        self.launches += 1
        costs: Mapping[ArmName, float] = {"base": 2.0, "twin": 2.0, "slow": 2.0 + self.turns * self.a_turn_ms}
        return [window(arm, ms, strategy=JWT.name, launch=number, ok=self.ok) for arm, ms in costs.items()]


def titrate(asked: CalibrationOrder, pilot: Pilot) -> dict[str, int]:
    return calibrate.titrate(asked, pilot, pilot, Silent())  # type: ignore[arg-type]


def test_the_work_to_inject_is_the_share_asked_for(tmp_path: Path) -> None:
    pilot = Pilot(a_turn_ms=0.0001)
    assert titrate(order(tmp_path, inject=0.05), pilot) == {JWT.name: 1000}  # 0.1 ms of 2 ms
    assert pilot.swapped == [PILOT_TURNS, 1000]
    assert pilot.launches == calibrate.PILOT_LAUNCHES


def test_the_least_work_is_one_turn(tmp_path: Path) -> None:
    assert titrate(order(tmp_path, inject=0.0001), Pilot(a_turn_ms=1.0)) == {JWT.name: 1}


@pytest.mark.parametrize("a_turn_ms", [0.0, -0.0001])
def test_work_that_costs_nothing_cannot_be_injected(tmp_path: Path, a_turn_ms: float) -> None:
    with pytest.raises(InvalidRunError, match="cost nothing"):
        titrate(order(tmp_path, inject=0.05), Pilot(a_turn_ms))


def test_a_pilot_without_a_window_that_counts_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRunError):
        titrate(order(tmp_path, inject=0.05), Pilot(a_turn_ms=0.0001, ok=99))


# The time


class Clock:
    """Goes on by its own launches only."""

    def __init__(self, takes: float) -> None:
        self.now, self.takes = 0.0, takes

    def monotonic(self) -> float:
        return self.now

    def launch(self, stage: int, number: int) -> list[Window]:
        self.now += self.takes
        return launched(0.0, launch=number)


@pytest.mark.parametrize(("takes", "launches"), [(10.0, 6), (11.0, 6), (59.0, 4), (1000.0, 4)])
def test_launches_are_made_for_the_time_given_and_never_under_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: float, launches: int
) -> None:
    clock, found, seconds = Clock(takes), [], []
    monkeypatch.setattr(calibrate, "time", clock)
    calibrate._measure(order(tmp_path), clock, Silent(), found, seconds)  # type: ignore[arg-type]
    assert len(found) == launches
    assert seconds == [takes] * launches
    assert len((tmp_path / "windows.jsonl").read_text().splitlines()) == 3 * launches


def test_interrupted_before_there_is_anything_to_draw_from_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def stack(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(calibrate, "arms_stack", stack)
    monkeypatch.setattr(calibrate, "alternation", interrupted)
    with pytest.raises(KeyboardInterrupt):
        calibrate.calibrate(order(tmp_path), Silent())
