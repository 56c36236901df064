"""From a log's last lines, or an error of the system, to one line that says what to do."""

import errno
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authbench.errors import StackError

TAIL_LINES = 5
TAIL_BYTES = 16_384


def log_tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines that are not empty; an empty text where there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def cause(tail: str, folder: Path) -> str:
    """What the log says went wrong: a known cause with its cure, or else its last line."""
    if re.search(r"No space left on device|Disk quota exceeded", tail):
        return f"the disk that holds {folder} is full; free some space, or set TMPDIR to another disk"
    if taken := re.search(r".*[Aa]ddress (?:already )?in use.*", tail):
        return f"its port is taken by another program ({taken[0].strip()})"
    if re.search(r"Cannot allocate memory|out of memory|could not map anonymous shared memory", tail):
        return "this machine has too little free memory for it"
    return tail.splitlines()[-1].strip() if tail else "it wrote nothing to its log"


def ending(exit_code: int) -> str:
    """How a process ended, in words."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns the system's errors while files are written below `folder` into a StackError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StackError(cause("No space left on device", folder)) from error
        raise StackError(f"{error.filename or folder}: {error.strerror}") from error
