"""The two logs of a round: the load balancer's and the applications', read to their ends."""

import time
from collections.abc import Collection
from pathlib import Path

WRITTEN_WITHIN_S = 3.0  # after the client has its answer
PAUSE_S = 0.02


class Log:
    """What is appended to some files from now on; files that come into being later count too."""

    def __init__(self, paths: Collection[Path]) -> None:
        self._paths = tuple(paths)
        self._from = {path: path.stat().st_size if path.exists() else 0 for path in self._paths}

    def lines(self, mark: str) -> list[str]:
        """Whole lines since then that begin with `mark`."""
        return [line for path in self._paths for line in self._new(path) if line.startswith(mark)]

    def lines_with(self, identities: Collection[str], mark: str) -> list[str]:
        """The same, once all of these ids stand there, or three seconds have passed."""
        deadline = time.monotonic() + WRITTEN_WITHIN_S
        while True:
            lines = self.lines(mark)
            if set(identities) <= {line.split()[0] for line in lines} or time.monotonic() > deadline:
                return lines
            time.sleep(PAUSE_S)

    def _new(self, path: Path) -> list[str]:
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._from[path])
            text = file.read()
        return text[: text.rfind(b"\n") + 1].decode("utf-8", "replace").splitlines()
