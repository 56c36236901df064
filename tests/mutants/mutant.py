"""What a mutant is: one defect as data, the command that has to name it, and by which words it is named."""

from dataclasses import dataclass
from typing import Literal

from tests.mutants.commands import Command

Kind = Literal["security", "correctness", "cost"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to one file. `old` stands there exactly once."""

    file: str  # below the tree's root
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect."""

    name: str
    kind: Kind
    what: str  # one sentence for people
    edits: tuple[Edit, ...]
    command: Command
    words: tuple[str, ...]  # all stand in ONE statement of the answer of a command that has named it
