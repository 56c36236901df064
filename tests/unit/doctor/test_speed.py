"""Steadiness of the cores: from made pieces of work, and once for real."""

import json
import os
import subprocess
import sys
import time

import pytest

from authbench.doctor import pieces, speed
from authbench.doctor.speed import Piece, Speeds

OURS = sorted(os.sched_getaffinity(0))


def worked(*took_ms: float) -> list[Piece]:
    return [Piece(n * 20_000_000, ms) for n, ms in enumerate(took_ms)]


STEADY = [20.0, 20.05] * 30
PHASES = [20.0] * 30 + [36.0] * 30


@pytest.mark.parametrize(
    ("first", "second", "state", "said"),
    [
        (STEADY, STEADY, "good", "slowest/fastest 1.00"),
        (STEADY, [20.0, 21.5] * 30, "fair", "core 1 by 3."),
        (PHASES, STEADY, "poor", "slowest/fastest 1.80"),
        ([*STEADY, 31.0], STEADY, "poor", "slowest/fastest 1.55"),
    ],
)
def test_slow_phases_are_shown_with_what_to_do(first: list[float], second: list[float], state: str, said: str) -> None:
    found = speed.steadiness(Speeds({0: worked(*first), 1: worked(*second)}))
    assert found.state == state, found
    assert said in found.found
    if state == "poor":
        assert all(way in found.advice for way in ("launches", "another time", "a runner of its own", "--tiers 0,1"))


def test_the_interpreters_first_pieces_do_not_count() -> None:
    assert speed.steadiness(Speeds({0: worked(*[60.0] * speed.UNSETTLED, *STEADY)})).state == "good"


def test_work_that_could_not_be_done_is_unknown() -> None:
    for speeds in (None, Speeds({0: worked(20.0, 20.0)})):
        assert speed.steadiness(speeds).state == "unknown"
    assert speed.at_once(None).state == "unknown"
    assert "two cores" in speed.at_once(Speeds({0: worked(*STEADY)})).found
    both = {0: worked(*STEADY), 1: worked(*STEADY)}
    assert "too busy" in speed.at_once(Speeds(both, [20.0], [20.0])).found


@pytest.mark.parametrize(
    ("ratios", "state"),
    [
        ([1.0, 1.01, 0.99, 1.0], "good"),
        ([1.10, 1.12, 1.11, 1.10], "fair"),
        ([1.5, 1.6, 1.55, 1.5], "poor"),
        ([0.6, 1.8, 1.0, 1.3], "unknown"),
    ],
)
def test_a_core_that_slows_beside_a_busy_one_is_told_where_it_is_certain(ratios: list[float], state: str) -> None:
    assert speed.at_once(Speeds({0: [], 1: []}, [20.0] * len(ratios), [20.0 * each for each in ratios])).state == state


def test_the_work_is_really_done_on_these_cores() -> None:
    speeds = speed.measure(OURS, seconds=0.4, pairs=2 if len(OURS) > 1 else 0)
    assert set(speeds.by_core) == {OURS[0], OURS[-1]}
    for done in speeds.by_core.values():
        assert done
        assert all(each.cpu_ms > 1 for each in done)
    assert len(speeds.alone) == len(speeds.beside) <= 2


def test_a_worker_whose_starter_is_gone_ends_early() -> None:
    """Nothing is left running where the doctor is killed."""
    now = time.monotonic_ns()
    another = os.getppid()
    command = [sys.executable, pieces.__file__, str(another), "-1", str(now), str(now + 60_000_000_000)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert json.loads(done.stdout) == []
