"""JUnit XML that Jenkins, GitLab and GitHub's reporters can read."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.exports.case import Case
from reports.exports.junit import junit
from tests.unit.reports.exports.made import ANY_CASE, ANY_TEXT, FOUR
from tests.unit.reports.folder import HOSTILE

# Jenkins' junit-10.xsd: element -> (children, required attributes, optional ones).
ALLOWED = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"time", "classname", "group"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "error": (set(), set(), {"type", "message"}),
    "skipped": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
}
TEXT_IN = {"failure", "error", "skipped", "system-out"}


def keeps_to_the_schema(data: bytes) -> ET.Element:
    root = ET.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        children, required, optional = ALLOWED[element.tag]
        assert {child.tag for child in element} <= children
        assert required <= set(element.attrib) <= required | optional
        if element.tag not in TEXT_IN:
            assert not (element.text or "").strip()
        for time in filter(None, [element.get("time")]):
            assert re.fullmatch(r"[0-9]+\.[0-9]{3}", time)
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(count) == str(sum(case.find(tag) is not None for case in cases))
    for count in ("tests", "failures", "errors"):
        assert root.get(count) == str(sum(int(suite.get(count)) for suite in root))
    return root


def test_every_outcome_has_its_element():
    root = keeps_to_the_schema(
        junit(FOUR, name="authbench: compare", timestamp="2025-01-31T13:00:00+01:00", properties={"seed": "7"})
    )
    whoami, orders = root

    assert (whoami.get("name"), orders.get("name")) == ("whoami", "orders")
    assert whoami.get("timestamp") == "2025-01-31T12:00:00"
    assert whoami.find("properties/property").attrib == {"name": "seed", "value": "7"}
    passed, skipped, failed = whoami.findall("testcase")
    assert passed.get("time") == "1.500"
    assert passed.get("classname") == "authbench: compare.whoami"
    assert passed.findtext("system-out").splitlines() == [
        "better: 0.64×",
        "CPU a request 0.7 ms",
        "6 launches",
        "verdict: better",
    ]
    assert skipped.find("skipped").get("message") == "inconclusive: the interval holds 1"
    assert failed.find("failure").attrib == {"type": "failed", "message": "5 % slower"}
    assert orders.find("testcase/error").text == "steal in trial 3"
    assert "time" not in orders.find("testcase").attrib


def test_the_same_cases_give_the_same_bytes_and_an_xml_declaration():
    assert junit(FOUR, name="n") == junit(FOUR, name="n")
    assert junit(FOUR, name="n").startswith(b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites")


def test_no_cases_are_a_file_without_suites():
    assert len(keeps_to_the_schema(junit((), name="nothing"))) == 0


@pytest.mark.parametrize("timestamp", ["", "yesterday", "<script>"])
def test_a_time_that_is_none_is_left_out(timestamp):
    (suite, *_) = keeps_to_the_schema(junit(FOUR, name="n", timestamp=timestamp))

    assert "timestamp" not in suite.attrib


def test_a_dot_in_a_level_does_not_split_the_class():
    case = Case("whoami, distance = 0.25", "jwt", "passed", "")

    assert b'classname="v1\xc2\xb70.whoami, distance = 0\xc2\xb725"' in junit([case], name="v1.0")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_a_name(text):
    root = keeps_to_the_schema(junit([Case(text, text, "failed", text, text, {text: text})], name=text))

    assert root.find("testsuite/testcase/failure").text
    assert "\x1b" not in ET.tostring(root, encoding="unicode")


@given(st.lists(ANY_CASE, max_size=6), ANY_TEXT)
def test_any_text_gives_well_formed_xml(cases, name):
    keeps_to_the_schema(junit(cases, name=name, timestamp=name, properties={name: name}))
