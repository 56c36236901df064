"""What attacks on one strategy have shown: `held`, `broken`, or `not applicable` with the reason."""

from collections.abc import Iterator
from typing import Literal

from authbench.records import Frozen

Outcome = Literal["held", "known", "broken", "not applicable"]  # `known`: broken, and declared to be so


class Try(Frozen):
    """One thing that was sent, and what came of it. Never a credential: `sent` says how it was made."""

    sent: str
    expected: str
    came: str
    held: bool


class Finding(Frozen):
    """One attack on one strategy."""

    strategy: str
    family: str
    attack: str
    source: str
    outcome: Outcome
    tried: int = 0
    broken: tuple[Try, ...] = ()  # of what was tried, declared ones among them
    why: str = ""  # it is not applicable

    def lines(self, known: tuple[str, ...]) -> Iterator[str]:
        """What broke and is not among the `known`, a line each."""
        for each in self.broken:
            if f"{self.attack}: {each.sent}" not in known:
                yield f"{self.attack}: {each.sent}: expected {each.expected}, came {each.came} ({self.source})"


def outcome_of(attack: str, broken: tuple[Try, ...], known: tuple[str, ...]) -> Outcome:
    """What the tries that broke amount to. `known`: declared ones, as `attack: what was sent`."""
    if not broken:
        return "held"
    return "known" if all(f"{attack}: {each.sent}" in known for each in broken) else "broken"
