"""Free TCP ports of the loopback, held so that two benches on one machine never take the same one."""

import os
import random
import socket
import tempfile
from pathlib import Path

from authbench.errors import StackError
from authbench.stack.locks import hold, prune, release

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 10_000, 31_999  # below the kernel's ephemeral range, where a bind fails now and then


class Ports:
    """Ports taken for the life of a stack. The kernel lets go of them when the process ends, however it ends."""

    def __init__(self, draw: random.Random | None = None, folder: Path | None = None) -> None:
        self._draw = draw or random.SystemRandom()
        self.folder = folder or Path(tempfile.gettempdir()) / f"authbench-ports-{os.getuid()}"
        self._held: dict[int, int] = {}  # port -> descriptor of its file

    def take(self) -> int:
        """A port that nobody listens on and no other bench holds. Raises StackError where there is none."""
        span = HIGHEST - LOWEST + 1
        start = self._draw.randrange(span)
        for offset in range(span):
            port = LOWEST + (start + offset) % span
            if port not in self._held and self._hold(port):
                if _is_free(port):
                    return port
                self._let_go(port)
        raise StackError(f"no free port between {LOWEST} and {HIGHEST} on {LOOPBACK}")

    def close(self) -> None:
        """Lets go of all of them; may be called twice."""
        for port in list(self._held):
            self._let_go(port)
        prune(self.folder)

    def _hold(self, port: int) -> bool:
        try:
            descriptor = hold(self.folder / str(port))
        except OSError as error:
            raise StackError(
                f"{self.folder}: cannot be written ({error.strerror}); set TMPDIR to a folder of yours"
            ) from error
        if descriptor is None:
            return False
        self._held[port] = descriptor
        return True

    def _let_go(self, port: int) -> None:
        release(self.folder / str(port), self._held.pop(port))


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do; a listener still stops it
        try:
            attempt.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
