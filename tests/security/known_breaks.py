"""Breaks of packages that we keep as they are: reviewed here, declared by their strategy, told on its page.

An entry that no longer shows fails tests/security/test_every_strategy.py: then the package has mended it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownBreak:
    """One request that is let in though it should not be."""

    attack: str
    sent: str
    reason: str  # why it is not ours to mend, and what limits the harm
    page: str  # where users read of it, and the words there

    @property
    def declared(self) -> str:
        """As STRATEGY["known_breaks"] names it."""
        return f"{self.attack}: {self.sent}"


KNOWN_BREAKS: Mapping[str, tuple[KnownBreak, ...]] = {
    "drf-jwt": (
        KnownBreak(
            "missing claims",
            "no exp",
            "drf-jwt 1.19 passes no `require` to PyJWT and has no setting for it; only who has the key can make such a "
            "token, and the package itself issues none",
            "**`exp` may be missing**",
        ),
    ),
}
