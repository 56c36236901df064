"""What happened to each request, as it happens: four numbers appended to flat arrays, nothing computed.

Times are nanoseconds of the monotonic clock. A mark is the request's place in the cycle and its outcome in one number.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadtests.outcome import OUTCOME_BITS, UNKNOWN

KINDS_KEPT = 12
OTHER_KINDS = "other"
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The tally of some requests as numpy columns, in the order in which they ended."""

    start: Times  # intended start
    send: Times  # actual send; 0 where it was never sent
    end: Times
    number: Times  # place in the cycle
    outcome: Times


@dataclass(frozen=True, slots=True)
class Spent:
    """What the window took, beside the requests' own times."""

    cpu_ns: int
    bytes_in: int
    bytes_out: int
    connections_opened: int


class Tally:
    """The record of one window, appended to from the hub's callbacks."""

    __slots__ = ("_ends", "_marks", "_sends", "_starts", "by_name_kind", "kinds", "replicas", "served_ns")

    def __init__(self) -> None:
        self._starts = array("q")
        self._sends = array("q")
        self._ends = array("q")
        self._marks = array("q")
        self.replicas: dict[bytes, int] = {}  # right answers
        self.served_ns: dict[bytes, int] = {}  # service time of all of them together
        self.kinds: dict[str, int] = {}
        self.by_name_kind: dict[tuple[int, str], int] = {}  # (place in the cycle, kind of failure)

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, start: int, send: int, end: int, number: int, outcome: int) -> None:
        """One request has ended. The hot path."""
        self._starts.append(start)
        self._sends.append(send)
        self._ends.append(end)
        self._marks.append(number << OUTCOME_BITS | outcome)

    def add_kind(self, number: int, kind: str) -> None:
        """Why a request did not end well; the first few kinds are kept apart, the rest counted together."""
        if kind not in self.kinds and len(self.kinds) >= KINDS_KEPT:
            kind = OTHER_KINDS
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        key = (number, kind)
        self.by_name_kind[key] = self.by_name_kind.get(key, 0) + 1

    def columns(self, since: int = 0) -> Columns:
        """Copies of the columns, from the request that ended as number `since` on."""
        marks = _column(self._marks, since)
        return Columns(
            start=_column(self._starts, since),
            send=_column(self._sends, since),
            end=_column(self._ends, since),
            number=marks >> OUTCOME_BITS,
            outcome=marks & UNKNOWN,
        )

    def by_replica(self) -> Mapping[str, int]:
        """Right answers by X-Replica."""
        return {name.decode("latin-1"): count for name, count in sorted(self.replicas.items()) if name}

    def service_us_by_replica(self) -> Mapping[str, float]:
        """Mean service time of right answers by X-Replica, in microseconds."""
        counts = self.by_replica()
        means = {name: self.served_ns.get(name.encode("latin-1"), 0) / 1000 / count for name, count in counts.items()}
        return {name: mean for name, mean in means.items() if mean}

    def forget(self) -> None:
        """Drops the columns: for loads without an end, whose statistics have been fed."""
        for column in (self._starts, self._sends, self._ends, self._marks):
            del column[:]


def _column(values: "array[int]", since: int) -> Times:
    return np.frombuffer(values[since:], dtype=np.int64)
