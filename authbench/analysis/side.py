"""One run as a comparison of two sees it, and the cells that both sides have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.comparability import Comparability
from authbench.analysis.counted import Levels, counted, unresolved
from authbench.analysis.judgement import Cell, cell_of, stuck_cells
from authbench.records import Level, Manifest, Trial


@dataclass(frozen=True, slots=True)
class Side:
    """One run: its trials that count, and what stands against others."""

    name: str
    control: str
    good: Mapping[Cell, Sequence[Trial]]
    measured: frozenset[Cell]  # invalid trials too
    stuck: Mapping[Cell, Sequence[Trial]]
    unfit: frozenset[str]  # strategies that did not pass verification

    def at(self, levels: Levels, strategy: str, loads: Iterable[str]) -> list[Trial]:
        """The trials of a strategy that count, at these loads together."""
        return [trial for load in loads for trial in self.good.get((levels, strategy, load), ())]


def side_of(name: str, manifest: Manifest, trials: Sequence[Trial]) -> Side:
    """The run under that name; `trials`: all of it."""
    good: dict[Cell, list[Trial]] = {}
    for trial in counted(trials):
        good.setdefault(cell_of(trial), []).append(trial)
    return Side(
        name=name,
        control=manifest.question.control,
        good=good,
        measured=frozenset(map(cell_of, trials)),
        stuck=stuck_cells(counted(trials), unresolved(trials)),
        unfit=frozenset(each.name for each in manifest.contenders if not each.verified),
    )


def shared_cells(
    may: Comparability, sides: tuple[Side, Side]
) -> tuple[list[Cell], dict[str, list[Mapping[str, Level]]]]:
    """Cells that may be compared, in order, and the others by reason."""
    allowed: list[Cell] = []
    refused: dict[str, list[Mapping[str, Level]]] = {}
    for cell in sorted(sides[0].measured | sides[1].measured, key=str):
        levels = {**dict(cell[0]), "strategy": cell[1], "load": cell[2]}
        if reason := may.refuses(levels) or _one_sided(cell, sides):
            refused.setdefault(reason, []).append(levels)
        else:
            allowed.append(cell)
    return allowed, refused


def _one_sided(cell: Cell, sides: tuple[Side, Side]) -> str | None:
    for side in sides:
        if cell[1] in side.unfit:
            return f"{cell[1]} did not pass verification in {side.name}"
        if cell not in side.measured:
            return f"not measured in {side.name}"
    return None
