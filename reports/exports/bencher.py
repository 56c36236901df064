"""bencher.json in Bencher Metric Format: {benchmark: {measure: {value, lower_value, upper_value}}}.

Measures are slugs (lower case and hyphens, at most 64 characters), so that Bencher finds the same one at every run
instead of making another; the unit is part of the slug, as it is of the metric's name.
"""

import json
from collections.abc import Iterable

from authbench.metric import Metric
from reports.exports.figure import Figure
from reports.exports.text import one_line, shortened

LONGEST_BENCHMARK = 1024
LONGEST_SLUG = 64


def bencher(figures: Iterable[Figure]) -> bytes:
    """The file, bounds from the 95 % interval. Left out: quantiles with too few samples, and what may not be judged."""
    told: dict[str, dict[str, dict[str, float]]] = {}
    for figure in figures:
        if figure.trackable and figure.value is not None:
            found = {"value": figure.value}
            if figure.low is not None and figure.high is not None:
                found |= {"lower_value": figure.low, "upper_value": figure.high}
            told.setdefault(_benchmark(figure), {})[slug(figure.metric)] = found
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def slug(metric: Metric) -> str:
    """The measure of a metric: `cpu-ms-per-request`."""
    return metric.name.replace("_", "-").lower()[:LONGEST_SLUG].strip("-")


def _benchmark(figure: Figure) -> str:
    """Strategy and levels; the load where it is one of several that give the same metrics."""
    where = f"{figure.title}, {figure.load}" if figure.metric.source == "rate" else figure.title
    return shortened(one_line(f"{figure.strategy} ({where})"), LONGEST_BENCHMARK)
