"""What a person sees while a run goes on: phases, a bar, and the time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.errors import MarkupError
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text


class Watcher(Protocol):
    """Hears of a run's progress."""

    def say(self, line: str) -> None:
        """One line that stays."""
        ...

    def phase(self, name: str) -> None:
        """What is being done now."""
        ...

    def measured(self, seconds_done: float, seconds_planned: float) -> None:
        """How much of the planned measuring time is over."""
        ...


class Silent:
    """Says nothing: for `--json`, and for tests."""

    def say(self, line: str) -> None: ...
    def phase(self, name: str) -> None: ...
    def measured(self, seconds_done: float, seconds_planned: float) -> None: ...


class Bar:
    """A progress bar on a terminal; plain lines where the output is not one."""

    def __init__(self, console: Console, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._progress = progress
        self._clock = clock
        self._began: float | None = None
        self._shown_share = -1
        self._task = progress.add_task("starting", total=1.0, left="")

    def say(self, line: str) -> None:
        try:
            told = Text.from_markup(line)
        except MarkupError:  # of a text that was not made by us
            told = Text(line)
        self._console.print(told, highlight=False)

    def phase(self, name: str) -> None:
        self._progress.update(self._task, description=name)
        if not self._console.is_terminal:
            self._console.print(f"… {name}", highlight=False)

    def measured(self, seconds_done: float, seconds_planned: float) -> None:
        if self._began is None or seconds_done == 0:
            self._began, self._shown_share = self._clock(), -1
        left = time_left_s(self._clock() - self._began, seconds_done, seconds_planned)
        share = seconds_done / seconds_planned if seconds_planned else 1.0
        self._progress.update(self._task, completed=share, left=f"{as_minutes(left)} left")
        if not self._console.is_terminal and int(share * 10) > self._shown_share:
            self._shown_share = int(share * 10)
            self._console.print(f"… measuring: {share:.0%}, {as_minutes(left)} left", highlight=False)


@contextmanager
def bar(console: Console) -> Iterator[Bar]:
    """A bar while the block runs; nothing of it stays on the screen afterwards."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(console, progress)


def time_left_s(elapsed_s: float, done_s: float, planned_s: float) -> float:
    """Planned seconds still to come, at the speed seen so far."""
    speed = elapsed_s / done_s if done_s > 0 else 1.0
    return (planned_s - done_s) * speed


def as_minutes(seconds: float) -> str:
    """`2 min 05 s`, `40 s`."""
    whole = max(0, round(seconds))
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
