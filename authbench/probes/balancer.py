"""How many requests the load balancer has served, by its own log: one line each (see `authbench.stack.nginx`)."""

import itertools
import time
from pathlib import Path

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError

PATIENCE_S = 5.0
PAUSE_S = 0.005  # between two looks at the log; nginx writes it every 20 ms


class BalancerProbe:
    """Counts the lines that were written between `before` and `after`. Its own questions are not among them."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._nginx = stack.nginx
        self._marks = itertools.count()
        self._file: Path = stack.nginx.counts_file
        self._offset = 0

    def before(self) -> None:
        """Starts to count."""
        _, self._offset = self._lines_up_to_now(self._file.stat().st_size)

    def after(self) -> int:
        """Requests of all strategies since `before`, answered or not, exact once each has been answered."""
        lines, _ = self._lines_up_to_now(self._offset)
        return sum(not line.startswith(b"mark ") for line in lines)

    def _lines_up_to_now(self, offset: int) -> tuple[list[bytes], int]:
        """The lines from an offset up to a mark set now, and the offset behind the mark."""
        identity = f"{id(self):x}-{next(self._marks)}"
        mark = f"mark {identity}\n".encode()
        self._nginx.mark(identity)
        deadline = time.monotonic() + PATIENCE_S
        with self._file.open("rb") as file:
            while True:
                file.seek(offset)
                text = file.read()
                found = text.find(mark)
                if found >= 0:
                    return text[:found].splitlines(), offset + found + len(mark)
                if time.monotonic() > deadline:
                    raise StackError(f"nginx: has not written its count within {PATIENCE_S:.0f} s")
                time.sleep(PAUSE_S)
