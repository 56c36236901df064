"""What came of it, as docs/trust.json keeps it: one entry a mutant, one a round on the app without a defect."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tests.mutants.catalogue import MUTANTS
from tests.mutants.tree import ROOT

TRUST_JSON = ROOT / "docs" / "trust.json"
LONGEST_STATEMENT = 400


class Planted(BaseModel):
    """One mutant before its command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    command: str
    exit_code: int | None  # None: it had to be ended
    named: bool  # it failed, and one of its statements holds the mutant's words
    statement: str  # that statement, or what it said instead
    seconds: float
    source: str  # `tree.digest` of what was run
    utc: str


class Good(BaseModel):
    """One command on the app as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: int
    command: str
    exit_code: int | None
    raised: tuple[str, ...]  # what it said against the app; nothing, where all is well
    machine: tuple[str, ...]  # codes of what it said against the machine's quiet
    seconds: float
    source: str
    utc: str


class Trust(BaseModel):
    """Everything that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str = ""
    planted: tuple[Planted, ...] = ()
    good: tuple[Good, ...] = ()

    def with_planted(self, one: Planted) -> "Trust":
        """In place of an earlier one of the name, in the catalogue's order; what is no mutant any more is dropped."""
        found = {each.name: each for each in self.planted} | {one.name: one}
        return self.model_copy(update={"planted": tuple(found[name] for name in MUTANTS if name in found)})

    def with_good(self, one: Good) -> "Trust":
        """One more."""
        return self.model_copy(update={"good": (*self.good, one)})


def read_trust(path: Path = TRUST_JSON) -> Trust:
    """What the file holds; nothing where there is none."""
    return Trust.model_validate_json(path.read_bytes()) if path.is_file() else Trust()


def write_trust(trust: Trust, path: Path = TRUST_JSON) -> None:
    """Replaces the file."""
    path.write_text(trust.model_dump_json(indent=1) + "\n", encoding="utf-8")
