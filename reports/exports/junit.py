"""JUnit XML in the dialect that Jenkins, GitLab and GitHub's test reporters read alike.

It keeps to Jenkins' junit-10.xsd, the strictest of the published schemas: properties belong to suites, so a case's own
stand in its `system-out`, as do message and details of a case that passed.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from reports.exports.case import Case, Outcome
from reports.exports.text import lines, one_line

_TAGS: Mapping[Outcome, str] = {"failed": "failure", "invalid": "error", "inconclusive": "skipped"}


def junit(
    cases: Sequence[Case], *, name: str, timestamp: str = "", properties: Mapping[str, str] | None = None
) -> bytes:
    """The whole file: one testsuite a `suite`, in the order of its first case. The same input gives the same bytes.

    `timestamp` is an ISO 8601 time; it is left out where it is none. `properties` are repeated in every suite.
    """
    root = ET.Element("testsuites", {"name": one_line(name), **_counts(cases)})
    order = list(dict.fromkeys(case.suite for case in cases))
    by_suite = sorted(cases, key=lambda case: order.index(case.suite))
    for suite, members in groupby(by_suite, key=lambda case: case.suite):
        root.append(_suite(suite, list(members), name, timestamp, properties or {}))
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(suite: str, cases: Sequence[Case], name: str, timestamp: str, properties: Mapping[str, str]) -> ET.Element:
    when = _utc(timestamp)
    skipped = {"skipped": str(sum(case.outcome == "inconclusive" for case in cases))}
    told = {"name": one_line(suite), **_counts(cases), **skipped, **({"timestamp": when} if when else {})}
    element = ET.Element("testsuite", told)
    if properties:
        listed = ET.SubElement(element, "properties")
        for key, value in properties.items():
            ET.SubElement(listed, "property", {"name": one_line(key), "value": one_line(value)})
    for case in cases:
        element.append(_case(case, name))
    return element


def _case(case: Case, name: str) -> ET.Element:
    told = {"name": one_line(case.name), "classname": f"{_undotted(name)}.{_undotted(case.suite)}"}
    if case.seconds is not None:
        told["time"] = f"{case.seconds:.3f}"
    element = ET.Element("testcase", told)
    output = [f"{key}: {value}" for key, value in case.properties.items()]
    if case.outcome in _TAGS:
        reason = ET.SubElement(element, _TAGS[case.outcome], {"type": case.outcome, "message": one_line(case.message)})
        reason.text = lines(case.details or case.message)
    else:
        output = [case.message, *([case.details] if case.details else []), *output]
    if output:
        ET.SubElement(element, "system-out").text = lines("\n".join(output))
    return element


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.outcome == "failed" for case in cases)),
        "errors": str(sum(case.outcome == "invalid" for case in cases)),
    }


def _undotted(text: str) -> str:
    """Jenkins takes what stands before the last dot of a class name for its package."""
    return one_line(text).replace(".", "·")


def _utc(timestamp: str) -> str | None:
    """The time without a zone, as the format's readers expect it."""
    try:
        when = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return (when if when.tzinfo is None else when.astimezone(UTC)).strftime("%Y-%m-%dT%H:%M:%S")
