"""Which part of a request file a warm-up or a window sends: what each working set is made of in time."""

from dataclasses import dataclass
from typing import Protocol

from authbench.working_set import REWARM_REQUESTS, Launched, WorkingSet


@dataclass(frozen=True, slots=True)
class Part:
    """Where in the file it starts, and how many requests it may send (None: in a cycle, as many as there is time)."""

    first: int = 0
    most: int | None = None


class Supply(Protocol):
    """Hands out the parts of one request file."""

    def start_launch(self) -> None:
        """The processes are new: they have seen no credential."""
        ...

    def warm_up(self, count: int) -> Part:
        """What warms the processes up; `count`: how many requests do usually."""
        ...

    def window(self) -> Part:
        """What the next measured window may send."""
        ...

    def sent(self, count: int) -> None:
        """How many requests of the part that was handed out last have ended."""
        ...

    def lost(self) -> None:
        """How many those were is not known: the generator died."""
        ...


class FromTheStart:
    """Every window sends the same requests in the same order (own, hot)."""

    def start_launch(self) -> None:
        """Nothing to forget."""

    def warm_up(self, count: int) -> Part:
        """The file's first requests."""
        return Part(0, count)

    def window(self) -> Part:
        """The file from its start."""
        return Part()

    def sent(self, count: int) -> None:
        """Nothing to remember."""

    def lost(self) -> None:
        """Nothing to remember."""


class RoundAndRound:
    """Every part goes on where the last one ended, so that a whole file lies between two uses of a credential (unique).

    The first warm-up of a launch is a whole round: a cache is full when it is measured.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.start_launch()

    def start_launch(self) -> None:
        """No round yet."""
        self._at = 0
        self._filled = False

    def warm_up(self, count: int) -> Part:
        """A whole round, or what usually does."""
        most, self._filled = (count if self._filled else self._size), True
        return Part(self._at, most)

    def window(self) -> Part:
        """On from where the last part ended."""
        return Part(self._at)

    def sent(self, count: int) -> None:
        """The next part begins behind these."""
        self._at = (self._at + count) % self._size

    def lost(self) -> None:
        """What lies behind the beginning may have been sent just now: a whole round pushes it out again."""
        self._filled = False


class EachOnce:
    """No window of a launch sends what another part of it has sent (cold); each gets an equal share of the file.

    A warm-up that is repeated, after the generator has died, repeats its part; a window never does.
    """

    def __init__(self, size: int, launched: Launched) -> None:
        self._begin = launched.warm_up_requests
        self._windows = launched.windows
        self._share = (size - self._begin) // launched.windows
        self.start_launch()

    def start_launch(self) -> None:
        """All of the file is unseen."""
        self._window = 0

    def warm_up(self, count: int) -> Part:
        """The file's first requests, and before a later window those at the beginning of its share."""
        if self._window == 0:
            return Part(0, min(count, self._begin))
        return Part(self._begin + self._window * self._share, REWARM_REQUESTS)

    def window(self) -> Part:
        """The rest of the next share."""
        assert self._window < self._windows, "more windows in a launch than were planned"
        first = self._begin + self._window * self._share + REWARM_REQUESTS
        self._window += 1
        return Part(first, self._share - REWARM_REQUESTS)

    def sent(self, count: int) -> None:
        """Shares are fixed, whatever was used of them."""

    def lost(self) -> None:
        """Shares are fixed, whatever was used of them."""


def supply_of(kind: WorkingSet, size: int, launched: Launched) -> Supply:
    """What hands out a file of `size` requests for this working set."""
    if kind == "unique":
        return RoundAndRound(size)
    return EachOnce(size, launched) if kind == "cold" else FromTheStart()
