"""How steady the cores are: a fixed piece of work, repeated on two of them at once."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy import stats

from authbench.doctor import pieces
from authbench.doctor.finding import Told, about, graded

START_NS = 400_000_000  # until both processes stand ready
SLICE_NS = 100_000_000
PAIRS = 12
FEWEST = 4  # pairs of slices from which an interval is drawn
UNSETTLED = 5  # first pieces: the interpreter is still specialising its bytecode
EDGE_NS = 25_000_000  # at the start of a slice the other core may still finish its last piece


class Piece(NamedTuple):
    """One piece of work."""

    began_ns: int
    cpu_ms: float


class Speeds(NamedTuple):
    """What was measured. `alone` and `beside`: medians of the first core's pieces in neighbouring slices of time."""

    by_core: Mapping[int, Sequence[Piece]]  # both cores at work
    alone: Sequence[float] = ()
    beside: Sequence[float] = ()


def measure(cores: Sequence[int], seconds: float = 3.0, pairs: int = PAIRS) -> Speeds:
    """Works on the first and last core for `seconds`, then on the last only in every other slice.

    Raises OSError or ValueError where a process cannot be started or does not answer.
    """
    begin = time.monotonic_ns() + START_NS
    middle = begin + int(seconds * 1e9)
    slices = [(middle + n * SLICE_NS, middle + (n + 1) * SLICE_NS) for n in range(2 * pairs)]
    # ABBA: a speed that drifts one way favours neither.
    alone = [each for n, each in enumerate(slices) if n % 4 in (0, 3)]
    beside = [each for n, each in enumerate(slices) if n % 4 in (1, 2)]
    if len(cores) < 2:
        [only] = _run({-1: [(begin, middle)]}, seconds).values()
        return Speeds({cores[0] if cores else 0: only})
    first, second = cores[0], cores[-1]
    end = slices[-1][1] if slices else middle
    done = _run({first: [(begin, end)], second: [(begin, middle), *beside]}, seconds + pairs)
    together = {core: [each for each in found if each.began_ns < middle] for core, found in done.items()}
    both = [(_inside(done[first], a), _inside(done[first], b)) for a, b in zip(alone, beside, strict=True)]
    kept = [(statistics.median(a), statistics.median(b)) for a, b in both if a and b]
    return Speeds(together, [a for a, _ in kept], [b for _, b in kept])


@about("host speed", "the same work costs this much more or less CPU from moment to moment; intervals widen by it")
def steadiness(speeds: Speeds | None) -> Told:
    """The spread of CPU time of one fixed piece of work, waiting not included."""
    if speeds is None:
        raise ValueError("the work could not be started")
    by_core = {core: [each.cpu_ms for each in found][UNSETTLED:] for core, found in speeds.by_core.items()}
    if min(map(len, by_core.values())) < UNSETTLED:
        raise ValueError("too few pieces of work were done")
    spread = {core: statistics.stdev(took) / statistics.fmean(took) for core, took in by_core.items()}
    ratio = {core: max(took) / min(took) for core, took in by_core.items()}
    told = "; ".join(f"core {core} by {spread[core]:.1%} (SD), slowest/fastest {ratio[core]:.2f}" for core in by_core)
    took = statistics.median(each for found in by_core.values() for each in found)
    told += f"; {len(by_core[min(by_core)])} pieces of {took:.1f} ms"
    state = max(graded(max(spread.values()), 0.02, 0.05), graded(max(ratio.values()), 1.15, 1.4), key=_severity)
    advice = (
        "give more launches (`--profile thorough`), another time of day, or a runner of its own; in CI let "
        "`gate --tiers 0,1` decide by counts and instructions, which this does not touch"
    )
    return Told(state, f"varies on {told}", "" if state == "good" else advice)


@about("cores at once", "a core that slows when its neighbour works shares more than the topology admits")
def at_once(speeds: Speeds | None) -> Told:
    """How much more CPU the same work takes on one core while the other works too, with its 95 % interval."""
    if speeds is None:
        raise ValueError("the work could not be started")
    if len(speeds.by_core) < 2:
        return Told("unknown", "not measured: it takes two cores", "take a machine with 2 cores")
    if len(speeds.alone) < FEWEST:
        return Told("unknown", "not told: the cores were too busy with other work", "end what else runs, and ask again")
    logs = [math.log(b / a) for a, b in zip(speeds.alone, speeds.beside, strict=True)]
    mean, half = (
        statistics.fmean(logs),
        stats.t.ppf(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs)),
    )
    low, high = math.expm1(mean - half), math.expm1(mean + half)
    found = f"{math.expm1(mean):+.1%} CPU for the same work beside a busy core ({low:+.1%} to {high:+.1%})"
    if high < 0.05:
        return Told("good", found)
    if low > 0.05:
        state = graded(low, 0.05, 0.15)
        return Told(state, found, "keep the offered rate the same for all that you compare; take whole physical cores")
    return Told("unknown", f"{found}: too unsteady to tell", "go by `host speed`; ask again at a quieter time")


def _run(plans: Mapping[int, Sequence[tuple[int, int]]], seconds: float) -> dict[int, list[Piece]]:
    """Core -> its pieces; the processes end by themselves, and at once where we are interrupted."""
    started: dict[int, subprocess.Popen[str]] = {}
    try:
        for core, plan in plans.items():
            times = (str(time_ns) for window in plan for time_ns in window)
            command = [sys.executable, "-I", "-S", pieces.__file__, str(os.getpid()), str(core), *times]
            started[core] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        answers = {core: process.communicate(timeout=seconds + 30)[0] for core, process in started.items()}
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"no answer within {seconds + 30:g} s") from error
    finally:
        for process in started.values():
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    return {core: [Piece(began, cpu / 1e6) for began, cpu in json.loads(said)] for core, said in answers.items()}


def _inside(done: Sequence[Piece], window: tuple[int, int]) -> list[float]:
    begin, end = window[0] + EDGE_NS, window[1]
    return [each.cpu_ms for each in done if begin <= each.began_ns and each.began_ns + each.cpu_ms * 1e6 <= end]


def _severity(state: str) -> int:
    return ("good", "fair", "poor").index(state)
