"""Markdown for $GITHUB_STEP_SUMMARY."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.exports.case import Case
from reports.exports.step_summary import LIMIT, step_summary
from reports.markdown import within
from tests.unit.reports.exports.made import ANY_CASE, ANY_TEXT, FOUR
from tests.unit.reports.folder import HOSTILE


def table_rows(text):
    return [line for line in text.splitlines() if line.startswith("| **")]


def test_worst_first_with_counts_and_the_answer():
    text = step_summary(FOUR, title="authbench: compare", lead="jwt costs least.", body="# the report\n\nin full")

    assert text.startswith("## authbench: compare\n\n**1 failed, 1 invalid, 1 inconclusive, 1 passed**\n\njwt costs")
    assert [row.split("|")[1].strip(" *") for row in table_rows(text)] == [
        "failed",
        "invalid",
        "inconclusive",
        "passed",
    ]
    assert "| **passed** | jwt | whoami | better: 0.64×<br><sub>CPU a request 0.7 ms</sub>" in text
    assert text.endswith("<details><summary>The whole report</summary>\n\n# the report\n\nin full\n\n</details>\n")


def test_nothing_judged_is_said():
    assert step_summary((), title="gate") == "## gate\n\n**nothing was judged**\n\n"


@pytest.mark.parametrize("body", ["", "line of the body\n" * 100_000])
def test_it_is_cut_between_rows_and_says_how_many_are_missing(body):
    cases = [Case("suite", f"name-{n}", "passed", "é" * 1200) for n in range(1000)]
    text = step_summary(cases, title="many", body=body)
    shown = table_rows(text)

    assert len(text.encode()) <= LIMIT < 1024 * 1024
    assert all(row.count(" | ") == 3 and row.endswith(" |") for row in shown)
    assert int(re.search(r"\n\n_(\d+) rows left out for length\._\n", text)[1]) == 1000 - len(shown)


def test_a_long_body_is_cut_and_its_fold_closed():
    text = step_summary(FOUR, title="t", body="word\n" * 1_000_000)

    assert LIMIT - 100 < len(text.encode()) <= LIMIT
    assert re.search(r"\n\n_\d+ lines left out for length\._\n\n</details>\n\Z", text)


def test_many_details_are_counted():
    text = step_summary([Case("s", "n", "failed", "m", "\n".join("x" * 3 for _ in range(50)))], title="t")

    assert "<sub>30 more lines</sub>" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(name):
    text = step_summary([Case(name, name, "failed", name, name)], title=name, lead=name)

    assert "<script" not in text
    assert "http://" not in text
    assert "@someone" not in text
    assert len(table_rows(text)) == 1
    assert table_rows(text)[0].replace("\\|", "").count("|") == 5


@given(st.lists(ANY_CASE, max_size=5), ANY_TEXT, st.integers(0, 3000))
def test_no_input_goes_over_the_limit(cases, text, limit):
    found = step_summary(cases, title=text, lead=text, body="body\n" * 50, limit=limit)

    assert len(found.encode()) <= limit


@given(st.lists(st.text("aé", max_size=9), max_size=30), st.integers(0, 200), st.lists(st.text("f", max_size=5)))
def test_whole_lines_and_the_foot_or_nothing(lines, limit, foot):
    text = within(lines, limit, foot)
    told = text.splitlines()
    left_out = re.search(r"^_(\d+) lines left out", text, re.MULTILINE)
    kept = len(lines) - (int(left_out[1]) if left_out else 0)

    assert len(text.encode()) <= limit
    if text:
        assert told[:kept] == lines[:kept]
        assert told[len(told) - len(foot) :] == foot
