"""GitHub's workflow commands: a line on stdout that the runner shows beside the change.

Escaping as in actions/toolkit, `packages/core/src/command.ts`. GitHub shows 10 annotations of a kind a step and drops
the others without a word, so the tenth says how many more there are.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Literal, TextIO

from authbench.analysis.findings import Summary
from reports.exports.case import Case, Outcome, cases_of
from reports.exports.text import lines, one_line, shortened

Kind = Literal["error", "warning", "notice"]
KINDS: Mapping[Outcome, Kind] = {"failed": "error", "invalid": "error", "inconclusive": "warning", "passed": "notice"}
MOST_OF_A_KIND = 10
LONGEST_TITLE = 255
LONGEST_MESSAGE = 4000


def annotations(cases: Sequence[Case]) -> tuple[str, ...]:
    """One line a case, errors first; at most 10 of each kind, for all the cases of a workflow step."""
    found: list[str] = []
    for kind in ("error", "warning", "notice"):
        members = [case for case in cases if KINDS[case.outcome] == kind]
        shown = members if len(members) <= MOST_OF_A_KIND else members[: MOST_OF_A_KIND - 1]
        found += [command(kind, f"{case.name}: {case.outcome} ({case.suite})", _message(case)) for case in shown]
        if more := len(members) - len(shown):
            names = ", ".join(case.name for case in members[len(shown) :])
            found.append(command(kind, f"{more} more of this kind", names))
    return tuple(found)


def print_annotations(*summaries: Summary, file: TextIO | None = None) -> None:
    """The annotations of these runs together, to `file` or stdout: GitHub's limits hold for the step as a whole."""
    for line in annotations([case for summary in summaries for case in cases_of(summary)]):
        print(line, file=file or sys.stdout, flush=True)


def command(kind: Kind, title: str, message: str) -> str:
    """One workflow command, whatever the texts hold."""
    title, message = shortened(one_line(title), LONGEST_TITLE), shortened(lines(message), LONGEST_MESSAGE)
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _message(case: Case) -> str:
    return f"{case.message}\n{case.details}" if case.details else case.message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
