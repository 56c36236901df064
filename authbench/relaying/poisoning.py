"""Sets and clears toxics while connections are open, and does to their data what each says."""

import random
from collections.abc import Iterable, Mapping
from time import monotonic_ns
from typing import Any, Protocol

from authbench.relaying.connection import Connection
from authbench.relaying.entrance import Entrance
from authbench.relaying.flow import End, Flow
from authbench.relaying.toxic import Toxic


class Passing(Protocol):
    """What it needs of the loop."""

    def pass_on(self, connection: Connection, flow: Flow, what: bytes | End, now_ns: int, later_ns: int = 0) -> None:
        """Delivers it after the distance and `later_ns`, in its turn."""

    def end_at(self, connection: Connection, due_ns: int, *, broken: bool) -> None:
        """Has the connection end then."""

    def drop(self, connection: Connection, *, broken: bool) -> None:
        """Ends it now."""

    def hasten(self, connection: Connection, now_ns: int) -> None:
        """Delivers now whatever it holds."""

    def connections(self, entrance: Entrance) -> Iterable[Connection]:
        """Those open."""

    def open(self, entrance: Entrance) -> None:
        """Listens there. Raises OSError."""

    def shut(self, entrance: Entrance) -> None:
        """Listens there no longer."""


class Poisoning:
    """At most one toxic a route."""

    def __init__(self, entrances: Mapping[str, Entrance], loop: Passing) -> None:
        self._entrances = entrances
        self._loop = loop
        self._draw = random.Random()  # noqa: S311 - jitter, not a secret

    def command(self, word: Mapping[str, Any]) -> None:
        """`{"route", "kind", …}` sets a toxic in place of the one there; without `kind` it clears.

        Raises ValueError where there is no such route or toxic, OSError where a closed port cannot be opened again.
        """
        route = word.get("route")
        if not isinstance(route, str) or route not in self._entrances:
            raise ValueError(f"no route {route!r}")
        entrance = self._entrances[route]
        toxic = Toxic.told(word) if "kind" in word else None
        now_ns = monotonic_ns()
        self._clear(entrance, now_ns)
        if toxic is not None:
            self._set(entrance, toxic, now_ns)

    def opened(self, connection: Connection, now_ns: int) -> None:
        """A connection of a route with a toxic begins."""
        toxic = connection.entrance.toxic
        if toxic is not None and toxic.kind == "timeout" and toxic.timeout_ns:
            self._loop.end_at(connection, now_ns + toxic.timeout_ns, broken=False)

    def take(self, toxic: Toxic, connection: Connection, flow: Flow, came: bytes | End, now_ns: int) -> None:
        """Data or an end that came the way of the toxic; an end comes through all of them."""
        match toxic.kind:
            case "latency":
                self._loop.pass_on(connection, flow, came, now_ns, toxic.delay_ns(self._draw))
            case "bandwidth" if not isinstance(came, End):
                for piece, took_ns in toxic.pieces(came):
                    behind_ns = max(0, flow.last_due_ns - now_ns - connection.half_ns)
                    self._loop.pass_on(connection, flow, piece, now_ns, behind_ns + took_ns)
            case "timeout" if not isinstance(came, End):
                pass  # dropped
            case "reset_peer" if not isinstance(came, End):
                flow.ended = True  # nothing more is read that way
                self._loop.end_at(connection, now_ns + toxic.timeout_ns, broken=True)
            case _:
                self._loop.pass_on(connection, flow, came, now_ns)

    def _set(self, entrance: Entrance, toxic: Toxic, now_ns: int) -> None:
        entrance.toxic = toxic
        if toxic.kind == "down":
            self._loop.shut(entrance)
            for connection in list(self._loop.connections(entrance)):
                self._loop.drop(connection, broken=False)
        for connection in list(self._loop.connections(entrance)):
            self.opened(connection, now_ns)

    def _clear(self, entrance: Entrance, now_ns: int) -> None:
        toxic = entrance.toxic
        if toxic is None:
            return
        if toxic.kind == "down":
            self._loop.open(entrance)
        entrance.toxic = None
        for connection in list(self._loop.connections(entrance)):
            if toxic.kind == "timeout":
                self._loop.drop(connection, broken=False)
            else:
                self._loop.hasten(connection, now_ns)
