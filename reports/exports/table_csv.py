"""trials.csv and summary.csv: RFC 4180, UTF-8, numbers at full precision and without units, empty where there is none.

A spreadsheet takes a text cell that begins with `=`, `+`, `-` or `@` for a formula and runs it: such a cell gets a
leading apostrophe (OWASP, CSV Injection). Numbers are left as they are.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from authbench.analysis.findings import Summary
from authbench.metric import METRICS
from authbench.records import Level, Trial
from reports.exports.figure import Figure
from reports.exports.text import one_line

FORMULA_STARTS = tuple("=+-@＝＋－＠")
FIRST_FACTORS = ("strategy", "workload", "load", "replicas")
Cell = str | float | None


def trials_csv(trials: Sequence[Trial]) -> bytes:
    """One row a trial, in the order measured: its place in the plan, its cell's factors, every metric, and whether it
    counts."""
    factors = _factors(trial.cell for trial in trials)
    head = ["trial", "launch", "block", "position", "attempt", "started_utc", *factors]
    head += [*METRICS, "limited_by", "valid", "reasons"]
    rows = [
        [
            *(trial.trial, trial.launch, trial.block, trial.position, trial.attempt, trial.started_utc),
            *(trial.cell.get(factor) for factor in factors),
            *(metric.of(trial) for metric in METRICS.values()),
            trial.limited_by,
            "true" if trial.valid else "false",
            " ".join(reason.code for reason in trial.reasons),
        ]
        for trial in trials
    ]
    return table(head, rows)


def summary_csv(summary: Summary, figures: Sequence[Figure]) -> bytes:
    """One row a strategy, combination of levels and metric. Contenders that failed verification have a row of their
    own, without a value."""
    factors = [name for name in _factors(each.levels for each in summary.comparisons) if name not in FIRST_FACTORS[:1]]
    head = ["strategy", *factors, "load", "metric", "value", "low", "high", "n", "unit", "supported", "verdict", "why"]
    rows: list[list[Cell]] = [
        [
            figure.strategy,
            *(figure.levels.get(factor) for factor in factors),
            *(figure.load, figure.metric.name, figure.value, figure.low, figure.high, figure.n, figure.metric.unit),
            "true" if figure.supported else "false",
            *((figure.verdict.word, figure.verdict.why) if figure.verdict else ("", "")),
        ]
        for figure in figures
    ]
    for each in summary.rejected:
        blank: list[Cell] = [None] * (len(head) - 3)
        rows.append([each.strategy, *blank, each.verdict.word, each.verdict.why])
    return table(head, rows)


def _factors(cells: Iterable[Mapping[str, Level]]) -> list[str]:
    """All factors, the usual four first."""
    found = {name for cell in cells for name in cell}
    return [name for name in FIRST_FACTORS if name in found] + sorted(found - set(FIRST_FACTORS))


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file (RFC 4180) whose text cells no spreadsheet runs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # the default dialect is RFC 4180's: CRLF, quotes doubled
    writer.writerow([_cell(name) for name in head])
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cell(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell if cell is None or isinstance(cell, int) else float(cell)
    told = one_line(cell)
    return f"'{told}" if told.startswith(FORMULA_STARTS) else told
