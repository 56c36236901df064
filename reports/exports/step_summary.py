"""Markdown for $GITHUB_STEP_SUMMARY: a table of what was decided, worst first, and never over GitHub's limit."""

from collections.abc import Sequence

from reports.exports.case import WORST_FIRST, Case, worst_first
from reports.exports.text import shortened
from reports.markdown import escape, within

LIMIT = 1_000_000  # bytes; GitHub drops a step's whole summary above 1,048,576, and other commands may add to it
LONGEST_CELL = 1000
MOST_DETAILS = 20  # lines a case


def step_summary(cases: Sequence[Case], *, title: str, lead: str = "", body: str = "", limit: int = LIMIT) -> str:
    """Heading, `lead` (a plain sentence), the table, and `body` (Markdown of the caller's) folded away below it.

    At most `limit` bytes of UTF-8 whatever the input; what does not fit is cut between rows and counted.
    """
    counted = [f"{n} {word}" for word in WORST_FIRST if (n := sum(case.outcome == word for case in cases))]
    lines = [f"## {_cell(title)}", "", f"**{', '.join(counted) or 'nothing was judged'}**", ""]
    if lead:
        lines += [_cell(lead), ""]
    if cases:
        lines += ["| outcome | what | where | why |", "| --- | --- | --- | --- |"]
        lines += [_row(case) for case in worst_first(cases)]
    table = within(lines, limit, what="rows")
    return table + _folded(body, limit - len(table.encode())) if body else table


def _folded(body: str, limit: int) -> str:
    """The body behind one line to click; nothing where not even that line fits."""
    opening = ["", "<details><summary>The whole report</summary>", ""]
    text = within([*opening, *body.splitlines()], limit, foot=("", "</details>"))
    return text if text.startswith("\n".join(opening)) else ""


def _row(case: Case) -> str:
    details = case.details.splitlines()
    told = [_cell(line) for line in details[:MOST_DETAILS]]
    if len(details) > MOST_DETAILS:
        told.append(f"{len(details) - MOST_DETAILS} more lines")
    why = "".join([_cell(case.message), *(f"<br><sub>{line}</sub>" for line in told)])
    return f"| **{case.outcome}** | {_cell(case.name)} | {_cell(case.suite)} | {why} |"


def _cell(text: str) -> str:
    return escape(shortened(text, LONGEST_CELL))
