"""Whether a replica's processes are still the same ones."""

from authbench.backends.embedded import EmbeddedStack
from authbench.stack.processes import read

Family = frozenset[tuple[int, int]]  # pid and start of each process


class ProcessProbe:
    """Compares the processes of a strategy's replicas before and after."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._stack = stack
        self._before: dict[str, Family] = {}

    def before(self, strategy: str) -> None:
        """Remembers them."""
        self._before = {name: self._family(name) for name in self._stack.replica_names(strategy)}

    def after(self) -> int:
        """How many replicas have lost or replaced a process since."""
        return sum(not family <= self._family(name) for name, family in self._before.items())

    def _family(self, replica: str) -> Family:
        found = (read(pid) for pid in self._stack.pids(replica))
        return frozenset((process.pid, process.started) for process in found if process is not None)
