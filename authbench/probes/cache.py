"""Valkey's own count of commands, and who is connected.

`INFO commandstats` is exact at once. It belongs to the whole server, so only one strategy may be in use meanwhile. The
commands with which a client opens a connection are left out: they belong to the connection, and a thread that serves
its first request would otherwise look like an operation of the strategy.
"""

from collections import Counter
from collections.abc import Mapping

from authbench.backends.embedded import EmbeddedStack
from authbench.records import Cache

HANDSHAKE = frozenset({"auth", "hello", "select", "client|setinfo", "client|setname"})


class CacheProbe:
    """Reads through one connection of its own and takes its own commands off."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self._client = stack.valkey.connect()
        self._own: Counter[str] = Counter()
        self._prefix = ""
        self._before: Mapping[str, int] = {}

    def close(self) -> None:
        """Closes its connection."""
        self._client.close()

    def before(self, strategy: str) -> None:
        """Remembers the counts."""
        self._prefix = f"authbench:{strategy}:"
        self._before = self.totals()

    def after(self, connections_peak: int) -> Cache:
        """Commands since; the peak is the greatest that `connections` gave meanwhile."""
        by_command = difference(self._before, self.totals())
        return Cache(commands=sum(by_command.values()), by_command=by_command, connections_peak=connections_peak)

    def totals(self) -> Mapping[str, int]:
        """Command -> calls so far, a subcommand as `client|list`; without its own and without handshakes."""
        # An INFO shows all earlier commands, but not yet itself.
        answer = self._client.info("commandstats")
        assert isinstance(answer, dict)
        found = {
            name.removeprefix("cmdstat_"): stats["calls"] - self._own[name.removeprefix("cmdstat_")]
            for name, stats in answer.items()
        }
        self._own["info"] += 1
        return {name: calls for name, calls in found.items() if name not in HANDSHAKE}

    def connections(self) -> int:
        """Connections of the strategy's replicas now."""
        return sum(self.connections_by_replica().values())

    def connections_by_replica(self) -> Mapping[str, int]:
        """Replica -> connections now, by the names that clients give themselves."""
        clients = self._client.client_list()
        self._own["client|list"] += 1
        assert isinstance(clients, list)
        names = [str(client["name"]) for client in clients]
        return Counter(name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix))


def difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What was added to each count; those that did not change are left out."""
    changed = {name: count - before.get(name, 0) for name, count in sorted(after.items())}
    return {name: count for name, count in changed.items() if count}
