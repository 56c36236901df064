"""The report for a pull request."""

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

    assert len(text) <= LONGEST
    assert "Left out for length" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_name_may_not_do(name):
    text = escape(name)

    assert not set("<>\n@") & set(text)
    assert "://" not in text
    assert text.replace("\\|", "").count("|") == 0
    assert text.replace("\\`", "").count("`") == 0
