"""The report as one file: no network, no scripts, every text escaped."""

import base64
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from authbench.analysis.caution import Caution
from authbench.analysis.findings import Comparison, Summary
from authbench.metric import STACK_TIERS
from authbench.records import Manifest
from authbench.semantics.findings import Semantics
from reports import bought, numbers, words
from reports.charts.canvas import Chart
from reports.palette import FRESHNESS_MARK, TIER_NAMES, colour
from reports.sections.section import Section
from reports.table import footnote

TEMPLATES = Path(__file__).parent / "templates"
CAUTIONS: Mapping[str, str] = {
    "too-few-launches": "Too few launches for an interval, or for the bootstrap to check it",
    "bootstrap-disagrees": "The bootstrap does not confirm an interval",
    "quantile-unsupported": "Quantiles with fewer than 50 samples beyond them (in parentheses above)",
    "unresolved-block": "Measurements that stayed invalid after every attempt",
    "missing-launches": "Fewer launches than planned",
    "statements-differ": "SQL statements measured are not those that verification counted",
    "not-measured": "Named in the scenario, absent from the records",
}
METHOD = (
    "The unit of replication is a launch of fresh processes: windows are brought to one value a launch, and every "
    "interval is 95 % over launches, never over requests.",
    "Each block measures every cell once, in a fresh random order drawn from the seed; strategies are compared within "
    "their block, so that the machine's drift hits all alike.",
    "CPU a request is the whole stack's CPU time for each right answer, the load generator's left out. It is read in "
    "the closed model (saturated); latency is read in the open model only, at one rate for all, from the intended "
    "start.",
    "A ratio is the geometric mean over launches of within-block ratios (t on logs, checked by a bootstrap that "
    "resamples launches first). p-values are Holm-corrected over all comparisons of the run.",
    "better and worse need Holm's p below 0.05 and a ratio outside the margin; equivalent needs the whole interval "
    "inside it; anything else is inconclusive. No difference found is not the same as none.",
    "Percentiles come from histograms merged by addition, never from averages of percentiles.",
)


def html(
    manifest: Manifest,
    summary: Summary,
    charts: Sequence[tuple[Comparison, Sequence[Chart]]],
    semantics: Sequence[Semantics] = (),
    sections: Sequence[Section] = (),
) -> str:
    """The whole page. The same input gives the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "ms": numbers.ms,
        "cpu": numbers.cpu,
        "plus_minus": numbers.plus_minus,
        "interval": numbers.interval_cpu,
        "times": numbers.times,
        "between": numbers.between,
        "count": numbers.count,
        "whole": numbers.whole,
        "percent": numbers.percent,
        "data_uri": _data_uri,
        "seen_in": _seen_in,
    }
    return environment.get_template("report.html.j2").render(
        manifest=manifest,
        summary=summary,
        charts=charts,
        sections=sections,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        words=words,
        marks=FRESHNESS_MARK,
        colour=colour,
        tier_names=TIER_NAMES,
        tiers=_tiers,
        footnote=footnote,
        cautions=_by_code(summary.cautions),
        caution_names=CAUTIONS,
        reason_counts=_reason_counts(summary),
        method=METHOD,
        bought=bought.rows(semantics, summary),
        bought_columns=bought.COLUMNS,
        bought_problems=bought.problems(semantics),
        poll_ms=round(semantics[0].poll_s * 1000) if semantics else 0,
    )


def _tiers(comparison: Comparison) -> list[str]:
    used = {tier for row in comparison.rows for tier in row.cpu_ms_by_tier}
    return [tier for tier in STACK_TIERS if tier in used or tier in ("lb", "app", "db", "cache")]


def _seen_in(trials: Sequence[int]) -> str:
    """Trial numbers with runs drawn together: `3, 7–9`."""
    runs = []
    for _, run in groupby(enumerate(sorted(trials)), key=lambda pair: pair[1] - pair[0]):
        numbers_ = [number for _, number in run]
        runs.append(str(numbers_[0]) if len(numbers_) == 1 else f"{numbers_[0]}–{numbers_[-1]}")
    return ", ".join(runs) or "none"


def _data_uri(chart: Chart) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(chart.svg).decode("ascii")


def _by_code(cautions: Sequence[Caution]) -> dict[str, list[Caution]]:
    found: dict[str, list[Caution]] = {}
    for caution in cautions:
        found.setdefault(caution.code, []).append(caution)
    return found


def _reason_counts(summary: Summary) -> dict[str, int]:
    found: dict[str, int] = {}
    for trial in summary.invalid:
        for reason in trial.reasons:
            found[reason.code] = found.get(reason.code, 0) + 1
    return dict(sorted(found.items()))
