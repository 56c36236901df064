"""Logins that may be ended, made by the strategy's own code as they are needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.contract.credentials import Credential, load
from apps.contract.endpoints import Caller
from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import caller_of
from authbench.conformance.verification import Minted
from authbench.errors import StackError


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, and what the client holds."""

    caller: Caller
    credential: Credential


class Logins:
    """Hands out each login once; makes a new batch where too few are left, which puts the old one aside."""

    def __init__(self, stack: EmbeddedStack, strategy: Strategy, batch: int) -> None:
        self._stack = stack
        self._strategy = strategy
        self._batch = batch
        self._left: list[Mapping[str, Any]] = []

    def give(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Minted rows, in place of those that are left."""
        self._left = list(rows)

    def take(self, count: int) -> list[Login]:
        """So many logins of different users. Raises StackError where a batch has too few, or cannot be made."""
        if len(self._left) < count:
            self.give(Minted.read(self._stack.mint(self._strategy, self._batch)).unverified)
        if len(self._left) < count:
            raise StackError(f"{self._strategy.name}: {count} logins are needed at once, live_sessions is too few")
        taken, self._left = self._left[:count], self._left[count:]
        return [Login(caller_of(dict(row)), load(self._strategy.carrier, row["credential"])) for row in taken]

    def discard(self) -> None:
        """Those made so far are gone from their store, or stand for other events: the next ones are made anew."""
        self._left = []
