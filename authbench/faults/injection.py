"""What each kind of fault is to the injector."""

from typing import Protocol


class Injection(Protocol):
    """One fault on one stack. `begin` and `end` return once the effect is there or gone; both may raise StackError."""

    def why_not(self) -> str | None:
        """Why it cannot be done here, one line; None: it can."""

    def prepare(self) -> None:
        """What can be done before the load begins; may be called twice."""

    def begin(self) -> None:
        """Does it."""

    def end(self) -> None:
        """Undoes it, also where `begin` was interrupted."""

    def close(self) -> None:
        """Takes back what `prepare` did; after `end`."""


class Unprepared:
    """For those that need nothing beforehand and can be done anywhere."""

    def why_not(self) -> str | None:
        """It can be done."""
        return None

    def prepare(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
