"""benchmark.json for github-action-benchmark, tool `customSmallerIsBetter`: {name, unit, value, range, extra} each.

Its readers draw one trend a `name`, so names tell strategy, metric and levels and nothing that differs between runs.
"""

import json
from collections.abc import Iterable

from reports.exports.figure import ANY_LOAD, Figure
from reports.exports.text import one_line

DIGITS = 6  # significant; what the action shows is what stands in the file


def action_benchmark(figures: Iterable[Figure]) -> bytes:
    """The file. Left out: metrics where more is better, quantiles with too few samples, and what may not be judged."""
    entries = [_entry(figure) for figure in figures if figure.trackable and figure.metric.better == "lower"]
    return (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode()


def _entry(figure: Figure) -> dict[str, str | float]:
    where = figure.title if figure.load == ANY_LOAD else f"{figure.title}, {figure.load}"
    entry: dict[str, str | float] = {
        "name": one_line(f"{figure.strategy}: {figure.metric.label} ({where})"),
        "unit": figure.metric.unit,
        "value": _rounded(figure.value or 0.0),
    }
    if figure.half_width is not None:
        entry["range"] = f"± {_rounded(figure.half_width):g}"
    told = [figure.metric.name, f"{figure.n} launches"]
    if figure.low is not None and figure.high is not None:
        told.append(f"95 % interval {_rounded(figure.low):g} to {_rounded(figure.high):g} {figure.metric.unit}")
    if figure.verdict is not None:
        told.append(f"{figure.verdict.word}: {figure.verdict.why}")
    entry["extra"] = one_line("; ".join(told))
    return entry


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
