"""What the doctor found about one thing, and the frame in which every reader runs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, ParamSpec

State = Literal["good", "fair", "poor", "unknown"]
Reading = ParamSpec("Reading")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table, and what follows from it."""

    topic: str
    state: State
    found: str  # one phrase with numbers
    means: str  # what it does to results
    advice: str = ""  # what to do about it; empty where it is good


class Told(NamedTuple):
    """What a reader says of its topic."""

    state: State
    found: str
    advice: str = ""
    means: str = ""  # where it differs from what the topic always means


def about(topic: str, means: str) -> Callable[[Callable[Reading, Told]], Callable[Reading, Finding]]:
    """Turns what a reader tells into a finding; one that cannot read or understand is `unknown` with why."""

    def framed(reader: Callable[Reading, Told]) -> Callable[Reading, Finding]:
        @functools.wraps(reader)
        def read(*arguments: Reading.args, **named: Reading.kwargs) -> Finding:
            try:
                told = reader(*arguments, **named)
            except Exception as error:  # one reader's failure must not take the others down
                told = Told("unknown", f"not told: {_why(error)}", "let this user read it, or take it as not good")
            return Finding(topic, told.state, told.found, told.means or means, told.advice)

        return read

    return framed


def graded(value: float, good: float, fair: float) -> State:
    """Good up to the first bound, fair up to the second, poor beyond."""
    return "good" if value <= good else "fair" if value <= fair else "poor"


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
