"""What a relay has passed on so far, route by route, and how late it was."""

from array import array
from dataclasses import dataclass, field
from typing import Any

LATEST_US = 100_000  # everything later is counted there


@dataclass(slots=True)
class Route:
    """Running totals of one route."""

    name: str
    accepted: int = 0
    open: int = 0
    exchanges: int = 0  # times a client spoke after the server had, or first
    bytes_up: int = 0  # to the store
    bytes_down: int = 0

    def described(self) -> dict[str, int]:
        """For the status port."""
        return {
            "accepted": self.accepted,
            "open": self.open,
            "exchanges": self.exchanges,
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
        }


@dataclass(slots=True)
class Lateness:
    """Microseconds between when a chunk was due and when it was handed on: its wake-up and its queue in the relay."""

    counts: "array[int]" = field(default_factory=lambda: array("Q", bytes(8 * (LATEST_US + 1))))

    def add(self, late_ns: int) -> None:
        """One chunk more; never early."""
        self.counts[min(late_ns // 1000, LATEST_US)] += 1

    def described(self) -> list[tuple[int, int]]:
        """(microseconds, chunks), without the empty ones."""
        return [(late, count) for late, count in enumerate(self.counts) if count]


def described(round_trip_us: float, routes: list[Route], late: Lateness) -> dict[str, Any]:
    """All of it, as the status port answers."""
    return {
        "round_trip_us": round_trip_us,
        "routes": {route.name: route.described() for route in routes},
        "late_us": late.described(),
    }
