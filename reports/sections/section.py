"""A part of the report that answers one scenario's own question, the same in HTML, Markdown and terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from authbench.analysis.findings import Sentence
from authbench.observed import Observation
from authbench.records import Manifest, Sample, Trial
from reports.charts.canvas import Chart


@dataclass(frozen=True, slots=True)
class Found:
    """All records of one result folder."""

    manifest: Manifest
    trials: Sequence[Trial]
    series: Sequence[Sample]
    observations: Sequence[Observation]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text. The first column names the row; the others are right-aligned where `numeric`."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""  # how to read it
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """What was found, in sentences that each carry their certainty, in tables and in charts."""

    name: str  # one word, the anchor in the report
    title: str
    sentences: tuple[Sentence, ...]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]
    notes: tuple[str, ...] = ()  # how it was measured, what does not count, what this cannot say
