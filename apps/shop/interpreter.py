"""What one request asks of the Python interpreter, counted in this process: exact, so that any change is a change."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import SystemRandom
from types import FrameType
from typing import Any

# Drawing a session key's characters rejects some draws, so that how many there are is a matter of chance.
DRAW = SystemRandom.getrandbits.__code__
Act = Callable[[], object]


def count_calls(act: Act) -> int:
    """Python functions entered while a request is handled (functions written in C are not counted).

    The same in every process with the same PYTHONHASHSEED, once everything that is made on first use has been made.
    """
    calls = 0

    def entered(frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG001
        nonlocal calls
        calls += event == "call" and frame.f_code is not DRAW

    with _quiet():
        before = sys.getprofile()
        sys.setprofile(entered)
        try:
            act()
        finally:
            sys.setprofile(before)
    return calls


def count_bytecodes(act: Act) -> int:
    """Bytecode instructions executed while a request is handled: loops count, which entering a function does not see.

    What C code does between two of them does not count. Comparable within one version of Python only. Waiting for a
    socket may take another turn, so that the count of a request that asks a store varies by a few.
    """
    executed = 0

    def stepped(frame: FrameType, event: str, argument: object) -> Any:  # noqa: ARG001
        nonlocal executed
        executed += event == "opcode"
        return stepped

    def entered(frame: FrameType, event: str, argument: object) -> Any:  # noqa: ARG001
        if frame.f_code is DRAW:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return stepped

    with _quiet():
        before = sys.gettrace()
        sys.settrace(entered)
        try:
            act()
        finally:
            sys.settrace(before)
    return executed


def fewest(count: Callable[[Act], int], prepare: Callable[[], Act], times: int = 5) -> int:
    """The smallest of some counts of a request: what waiting adds is left out as far as it can be."""
    return min(count(prepare()) for _ in range(times))


def same_twice(count: Callable[[Act], int], prepare: Callable[[], Act]) -> int | None:
    """The count of a request, taken twice; None where the two differ, so that it is not exact here."""
    first, second = count(prepare()), count(prepare())
    return first if first == second else None


@contextmanager
def _quiet() -> Iterator[None]:
    """No garbage collection while the block runs: when it comes is a matter of what ran before."""
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
