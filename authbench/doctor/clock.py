"""The clock that every latency is read from, and how late a timer wakes the generator."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from authbench.doctor.finding import Told, about, graded
from authbench.machine import Cores
from authbench.stack.replicas import ROOT

SOURCES = Path("/sys/devices/system/clocksource/clocksource0")
FAST = {"tsc", "arch_sys_counter", "timebase", "kvm-clock", "hyperv_clocksource_tsc_page"}  # read without a system call
CHUNKS, READS = 40, 500
HOPS = 200
SLEEPS, SLEEP_NS = 200, 1_000_000
# The generator's own timer, in a process of its own, since the bench imports nothing of `loadtests`.
SLEEPER = """
import json, os, select, sys, time
from loadtests.timerfd import open_timerfd
core, sleeps, length = map(int, sys.argv[1:])
if core >= 0:
    os.sched_setaffinity(0, {core})
fd, set_time = open_timerfd()
late = []
for _ in range(sleeps):
    due = time.monotonic_ns() + length
    set_time(due)
    select.select([fd], [], [])
    late.append(time.monotonic_ns() - due)
print(json.dumps(late))
"""


@about("clock source", "a slow clock adds a system call to every reading of a latency")
def clock_source(folder: Path = SOURCES) -> Told:
    """Which one the kernel uses."""
    current = (folder / "current_clocksource").read_text(encoding="utf-8").strip()
    there = (folder / "available_clocksource").read_text(encoding="utf-8").split()
    others = [each for each in there if each != current]
    found = current + (f" (also there: {', '.join(others)})" if others else "")
    if current in FAST:
        return Told("good", found)
    better = next((each for each in others if each in FAST), None)
    advice = f"as root: `echo {better} > {SOURCES}/current_clocksource`" if better else "take another machine"
    return Told("poor", found, f"{advice}; hpet and acpi_pm take a microsecond a read")


@about("clock reading", "latencies are differences of this clock, across cores")
def clock_reading(cores: Sequence[int], clock: Callable[[], int] = time.monotonic_ns) -> Told:
    """What a read costs, the smallest step it shows, and whether it ever goes back from core to core."""
    reads: list[int] = []
    costs = []
    for _ in range(CHUNKS):  # the median chunk: one that had to wait for its core says nothing of the clock
        began = time.perf_counter_ns()
        reads += [clock() for _ in range(READS)]
        costs.append((time.perf_counter_ns() - began) / READS)
    cost = statistics.median(costs)
    back = sum(b < a for a, b in pairwise(reads))
    step = min((b - a for a, b in pairwise(reads) if b > a), default=0)
    back += _steps_back(cores, clock)
    over = f"{HOPS} changes between cores {', '.join(map(str, cores))}" if len(cores) > 1 else "one core"
    found = f"{cost:.0f} ns a read, smallest step {step} ns; {back or 'no'} steps back over {over}"
    if back:
        return Told("poor", found, "choose another clock source, or take another machine: its latencies cannot be used")
    if step == 0:
        return Told("poor", found + "; it stood still", "take another machine: its latencies cannot be used")
    state = graded(cost, 200, 1000)
    return Told(state, found, "" if state == "good" else "choose a clock source that is read without a system call")


@about("timer", "a request sent late is charged to the server in the open model; over 1 ms at p99 a window is invalid")
def timer(split: Cores, sleeper: str = SLEEPER) -> Told:
    """How late the generator's timer (timerfd) wakes on its core: 200 sleeps of 1 ms."""
    core = -1 if split.generator is None else split.generator
    command = [sys.executable, "-c", sleeper, str(core), str(SLEEPS), str(SLEEP_NS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return Told("unknown", f"not told: {said[-1] if said else f'exit code {done.returncode}'}", "see docs/load.md")
    late_ms = sorted(each / 1e6 for each in json.loads(done.stdout))
    p99 = late_ms[round(0.99 * (len(late_ms) - 1))]
    found = f"late by {statistics.median(late_ms):.3f} ms in median, {p99:.2f} ms at p99, {late_ms[-1]:.2f} ms at most"
    state = graded(p99, 0.25, 1.0)
    advice = "" if state == "good" else "end what else runs on the generator's core, or measure at another time"
    return Told(state, found, advice)


def _steps_back(cores: Sequence[int], clock: Callable[[], int]) -> int:
    """How often the clock went back while one thread changed between the cores. Raises OSError where it may not."""
    back: list[int] = []
    failed: list[OSError] = []

    def hop() -> None:  # a thread's affinity is its own: the process keeps its cores
        last = clock()
        try:
            for turn in range(HOPS):
                os.sched_setaffinity(0, {cores[turn % len(cores)]})
                now = clock()
                back.append(now < last)
                last = now
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=hop)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return sum(back)
