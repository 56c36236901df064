"""The report for a pull request."""

import re

import pytest

from authbench.analysis.summary import summarise
from reports.markdown import LONGEST, escape, markdown
from tests.unit.analysis.synthetic import TRUTHS, World, make
from tests.unit.reports.folder import HOSTILE


def told(world):
    manifest, trials, _ = make(world)
    return markdown(manifest, summarise(manifest, trials))


def test_answer_table_pairs_and_where_it_was_measured():
    text = told(World(launches=2))

    assert text.startswith("# authbench: compare\n")
    assert "| 9 | session-db | row |" in text.replace("9=", "9")
    assert "token (jwt-hs256 → jwt-row)" in text
    assert "seed 7" in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    for block in told(World(launches=2)).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1


def test_it_stays_short_enough_for_a_comment():
    workloads = tuple(f"w{number}" for number in range(60))
    text = told(World(launches=1, truths=TRUTHS, workloads=workloads, loads=("saturate",), requests=20))

    assert len(text.encode()) <= LONGEST
    assert "Left out for length" in text
    assert text.rstrip().endswith("</sub>")


@pytest.mark.parametrize("limit", [4000, 1000, 100])
def test_it_is_cut_between_lines_and_says_how_many_are_missing(limit):
    manifest, trials, _ = make(World(launches=2))
    whole = markdown(manifest, summarise(manifest, trials)).splitlines()
    text = markdown(manifest, summarise(manifest, trials), limit=limit)

    assert len(text.encode()) <= limit
    assert all(line in whole for line in text.splitlines() if "left out for length" not in line)
    assert bool(text) == (limit >= 1000)
    assert not text or re.search(r"_\d+ lines left out for length\._", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_name_may_not_do(name):
    text = escape(name)

    assert not set("<>\n@") & set(text)
    assert "://" not in text
    assert text.replace("\\|", "").count("|") == 0
    assert text.replace("\\`", "").count("`") == 0
