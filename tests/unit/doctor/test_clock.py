"""The clock and the timer."""

import itertools
import os
import time
from pathlib import Path

import pytest

from authbench.doctor import clock
from authbench.machine import Cores, split_cores
from tests.unit.doctor.folders import made

OURS = sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("current", "others", "state", "advised"),
    [
        ("tsc", "tsc kvm-clock", "good", ""),
        ("kvm-clock", "kvm-clock", "good", ""),
        ("hpet", "tsc hpet acpi_pm", "poor", "echo tsc"),
        ("acpi_pm", "acpi_pm", "poor", "another machine"),
    ],
)
def test_a_slow_source_is_poor(tmp_path: Path, current: str, others: str, state: str, advised: str) -> None:
    folder = made(tmp_path, {"current_clocksource": f"{current}\n", "available_clocksource": f"{others}\n"})
    found = clock.clock_source(folder)
    assert found.state == state
    assert advised in found.advice


def test_no_source_is_unknown(tmp_path: Path) -> None:
    assert clock.clock_source(tmp_path).state == "unknown"


def test_this_clock_never_goes_back_and_the_process_keeps_its_cores() -> None:
    found = clock.clock_reading(OURS)
    assert found.state in ("good", "fair")
    assert "no steps back" in found.found
    assert sorted(os.sched_getaffinity(0)) == OURS


def test_a_clock_that_goes_back_or_stands_still_is_poor() -> None:
    back = itertools.cycle([10, 20, 15])
    assert clock.clock_reading(OURS, lambda: next(back)).state == "poor"
    assert "stood still" in clock.clock_reading(OURS, lambda: 7).found


def test_a_slow_clock_is_not_good() -> None:
    def slow() -> int:
        until = time.perf_counter_ns() + 1_500
        while time.perf_counter_ns() < until:
            pass
        return time.monotonic_ns()

    found = clock.clock_reading(OURS, slow)
    assert (found.state, bool(found.advice)) == ("poor", True)


def test_cores_that_are_not_ours_make_the_reading_unknown() -> None:
    assert clock.clock_reading([100_000]).state == "unknown"


def test_the_generators_own_timer_is_measured() -> None:
    found = clock.timer(split_cores(frozenset(OURS)))
    assert found.state in ("good", "fair", "poor")
    assert "at p99" in found.found


@pytest.mark.parametrize(("late_ns", "state"), [(50_000, "good"), (500_000, "fair"), (3_000_000, "poor")])
def test_a_late_timer_is_graded(late_ns: int, state: str) -> None:
    assert clock.timer(Cores((), None), f"print([{late_ns}] * 200)").state == state


def test_no_timer_is_unknown_with_why() -> None:
    found = clock.timer(Cores((), None), "raise OSError(38, 'timerfd_create')")
    assert (found.state, "timerfd_create" in found.found) == ("unknown", True)
