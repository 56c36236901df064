"""A process that repeats one fixed piece of work on one core, within given times, and tells what each piece took.

`python pieces.py STARTER CORE BEGIN END [BEGIN END …]`: times in nanoseconds of the monotonic clock; CORE -1 for any;
ends early where process STARTER is no longer its parent. Prints JSON: [[began_ns, cpu_ns], …]. Only the standard
library and no package, so that it starts at once.
"""

import gc
import json
import os
import sys
import time

STEPS = 400_000  # about 20 ms of CPython


def piece() -> int:
    """Plain integer arithmetic: touches no memory to speak of, so it shows how fast the core runs."""
    value = 1
    for step in range(STEPS):
        value = (value * 31 + step) & 0xFFFF
    return value


def work(windows: list[tuple[int, int]], starter: int) -> list[tuple[int, int]]:
    """(begin, CPU time) of every piece that began within a window."""
    done: list[tuple[int, int]] = []
    for begin, end in windows:
        while (now := time.monotonic_ns()) < begin:
            time.sleep((begin - now) / 1e9)
        while (began := time.monotonic_ns()) < end:
            if os.getppid() != starter:
                return done
            before = time.thread_time_ns()
            piece()
            done.append((began, time.thread_time_ns() - before))
    return done


def main() -> None:
    """The process."""
    starter, core, *times = map(int, sys.argv[1:])
    if core >= 0:
        os.sched_setaffinity(0, {core})
    gc.disable()
    print(json.dumps(work(list(zip(times[::2], times[1::2], strict=True)), starter)))


if __name__ == "__main__":
    main()
