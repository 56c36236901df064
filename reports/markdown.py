"""The report for a pull request: short, and safe whatever a strategy is called."""

import re
from collections.abc import Sequence

from authbench.analysis.findings import Comparison, Summary
from authbench.records import Manifest
from authbench.semantics.findings import Semantics
from reports.bought import COLUMNS, problems, rows
from reports.numbers import between, count, interval_cpu, percent, plus_minus, times, whole
from reports.sections.markdown import section_lines
from reports.sections.section import Section
from reports.table import footnote
from reports.words import freshness, printable, quantile, rank, verdict

LONGEST = 60_000  # bytes; GitHub cuts a comment at 65,536 characters
PROBLEMS_SHOWN = 10
_SPECIAL = re.compile(r"([\\`*_\[\]{}#!~|$])")


def markdown(
    manifest: Manifest,
    summary: Summary,
    semantics: Sequence[Semantics] = (),
    own: Sequence[Section] = (),
    limit: int = LONGEST,
) -> str:
    """The whole report in at most `limit` bytes; comparisons that would make it longer are named, not shown."""
    head = [f"# authbench: {escape(summary.question.name)}", "", f"> {escape(summary.question.question)}", ""]
    head += [f"{number}. {escape(line.text)} _({line.certainty})_" for number, line in enumerate(summary.answer, 1)]
    for number, each in enumerate(own):
        lines = section_lines(each, escape, sentences=number > 0)
        fits = _size([*head, *lines]) <= limit // 2
        head += lines if fits else ["", f"{escape(each.title)}: left out for length, see `report.html`."]
    validity, provenance = ["", *_validity(summary)], ["", *_provenance(manifest)]
    bought = _bought(semantics, summary)
    if _size(bought) > limit // 2:
        bought = ["", f"What each buys: left out for length, see `report.html` ({len(semantics)} strategies)."]
    validity = [*bought, *validity]
    room = limit - _size([*head, *validity, *provenance]) - 2500  # for the names of what is left out
    shown: list[str] = []
    left_out = []
    for number, comparison in enumerate(summary.comparisons):
        section = _section(comparison)
        if _size([*shown, *section]) <= room:
            shown += section
        elif number == 0:
            shown += within(section, room).splitlines()
        else:
            left_out.append(comparison.title)
    if left_out:
        shown += ["", f"Left out for length, see `report.html`: {escape('; '.join(left_out)[:480])}"]
    return within([*head, *shown, *validity], limit, foot=provenance)


def within(lines: Sequence[str], limit: int, foot: Sequence[str] = (), what: str = "lines") -> str:
    """The lines that fit into `limit` bytes of UTF-8, then the foot; a sentence before it counts what was left out.

    Empty where not even that sentence and the foot fit.
    """
    if _size([*lines, *foot]) <= limit:
        return _joined([*lines, *foot])
    room = limit - _size(foot) - _size(_left_out(len(lines), what))
    if room < 0:
        return ""
    kept = 0
    while (room := room - _size(lines[kept : kept + 1])) >= 0:
        kept += 1
    return _joined([*lines[:kept], *_left_out(len(lines) - kept, what), *foot])


def escape(text: str) -> str:
    """Text that no Markdown reader takes for markup, HTML, a table cell's end, a link or a mention."""
    one_line = printable(" ".join(text.split()))
    marked = _SPECIAL.sub(r"\\\1", one_line)
    safe = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
    return safe.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def _section(comparison: Comparison) -> list[str]:
    heads = (
        "#", "strategy", "freshness", "CPU ms a request", "of reference", "p50 ms", "p99 ms", "DB conn. peak",
        "SQL", "cache", "credential bytes", "verdict",
    )  # fmt: skip
    lines = ["", f"## {escape(comparison.title)}", "", _cells(heads), _cells(["---"] * len(heads))]
    for row in comparison.rows:
        ratio = f"{times(row.to_reference)} ({between(row.to_reference)})" if row.to_reference else "1"
        told = (
            rank(row),
            escape(row.strategy),
            freshness(row),
            plus_minus(row.cpu_ms),
            ratio if row.to_reference or row.role == "reference" else "–",
            quantile(row, "p50"),
            quantile(row, "p99"),
            whole(row.connections_peak),
            count(row.statements_per_request),
            count(row.cache_commands_per_request),
            whole(row.credential_bytes),
            f"**{verdict(row)}**",
        )
        lines.append(_cells(told))
    lines += ["", f"<sub>{escape(footnote(comparison))}</sub>"]
    if comparison.pairs:
        lines += ["", _cells(("place", "claims", "row", "the user row costs, ms")), _cells(["---"] * 4)]
    for pair in comparison.pairs:
        cost = f"+{plus_minus(pair.user_row_ms)} ({interval_cpu(pair.user_row_ms)})" if pair.user_row_ms else "–"
        place = f"{escape(pair.location)} ({escape(pair.claims)} → {escape(pair.row)})"
        lines.append(_cells((place, plus_minus(pair.claims_ms), plus_minus(pair.row_ms), cost.replace("+-", "-"))))
    return lines


def _bought(semantics: Sequence[Semantics], summary: Summary) -> list[str]:
    if not semantics:
        return []
    lines = ["", "## What each buys", ""]
    lines += [_cells([column.head for column in COLUMNS]), _cells(["---"] * len(COLUMNS))]
    lines += [_cells([escape(cell) for cell in row]) for row in rows(semantics, summary)]
    return [*lines, *(["", *(f"- **{escape(line)}**" for line in found)] if (found := problems(semantics)) else [])]


def _validity(summary: Summary) -> list[str]:
    lines = [
        f"{summary.valid} of {summary.trials} trials count; spread between launches {percent(summary.launch_noise)}; "
        f"differences under about {percent(summary.resolution)} cannot be told apart here."
    ]
    for rejected in summary.rejected:
        problems = "; ".join(rejected.problems[:PROBLEMS_SHOWN])
        lines.append(f"- {escape(rejected.strategy)}: **invalid**, {escape(rejected.verdict.why)}: {escape(problems)}")
    codes: dict[str, int] = {}
    for trial in summary.invalid:
        for reason in trial.reasons:
            codes[reason.code] = codes.get(reason.code, 0) + 1
    if codes:
        lines.append("- invalid trials by reason: " + ", ".join(f"{escape(c)} {n}" for c, n in sorted(codes.items())))
    return lines


def _provenance(manifest: Manifest) -> list[str]:
    machine = manifest.machine
    where = f"{machine.cpu_model}, {machine.cores} cores, {machine.system}, Python {machine.python}"
    commit = (
        f", commit {manifest.git_commit[:12]}{' (dirty)' if manifest.git_dirty else ''}" if manifest.git_commit else ""
    )
    return [
        f"<sub>{escape(where)}; {escape(manifest.started_utc)}; authbench {escape(manifest.authbench + commit)}; "
        f"seed {manifest.seed}; {escape(manifest.command)}</sub>"
    ]


def _cells(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _left_out(number: int, what: str) -> list[str]:
    return ["", f"_{number} {what} left out for length._"]


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _size(lines: Sequence[str]) -> int:
    """Bytes of these lines, line ends included."""
    return sum(len(line.encode()) + 1 for line in lines)
