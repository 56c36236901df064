"""The article's claims, each with what was measured and whether it holds: from the records of one folder, and pure.

A claim that the records cannot speak to says `not measured`; nothing is taken from another run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from authbench.observed import Observation
from authbench.records import Frozen, Manifest, Trial

Ruling = Literal["holds", "holds only when", "does not hold", "not measured"]


class Claim(Frozen):
    """One claim, and the ruling on it."""

    name: str  # a few words, the anchor on the page
    claim: str  # as the article says it
    ruling: Ruling
    when: str = ""  # the condition, of `holds only when`: goes on where the ruling ends
    measured: str  # what was counted or measured, in one or two sentences
    section: str  # of the report, where the numbers are
    launches: int  # behind the numbers; 0: none

    @property
    def told(self) -> str:
        """The ruling with its condition."""
        return f"{self.ruling} {self.when}".strip()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The records that count; the claims rest on counts, which a busy machine does not change."""

    manifest: Manifest
    trials: Sequence[Trial]  # as `authbench.analysis.connections.readable` chooses them
    observations: Sequence[Observation]

    def of(self, kind: str) -> list[Observation]:
        """The observations of an experiment that count."""
        return [each for each in self.observations if each.kind == kind and each.valid]


Judge = Callable[[Evidence], Claim]


def not_measured(name: str, claim: str, section: str) -> Claim:
    """What a judge says where the records hold nothing of the kind."""
    return Claim(name=name, claim=claim, ruling="not measured", measured="–", section=section, launches=0)
