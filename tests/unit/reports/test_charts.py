"""Charts: colours that stay, labels that keep apart."""

import itertools

import pytest

from authbench.analysis.summary import summarise
from reports.charts.canvas import label, styled
from reports.charts.cpu import cpu_chart
from reports.charts.names import spread
from reports.palette import PLACES, colour
from tests.unit.analysis.synthetic import TRUTHS, World, make


def test_a_strategys_colour_depends_on_nothing_but_itself():
    assert colour("session-db", "database") == PLACES["database"]
    assert colour("theirs", "elsewhere") == colour("theirs", "elsewhere")


def test_strategies_of_one_freshness_differ_in_colour():
    for freshness in ("claims", "row"):
        hues = [colour(t.name, t.location) for t in TRUTHS if t.freshness == freshness]
        assert len(set(hues)) == len(hues)


@pytest.mark.parametrize("wanted", [[0.5] * 8, [0.0, 0.0, 1.0], [0.2, 0.21, 0.22, 0.9], [0.5], []])
def test_labels_are_pushed_apart_and_stay_inside(wanted):
    places = spread(wanted, 0.05, 0.0, 1.0)

    assert all(0 <= place <= 1 for place in places)
    assert all(b - a > 0.04 for a, b in itertools.pairwise(places))


def test_names_are_made_fit_for_a_chart():
    assert label("x" * 40, 10) == "x" * 9 + "…"
    assert label("a\x1b\u202e名") == "a???"


def test_a_chart_tells_its_numbers_in_words_too():
    manifest, trials, _ = make(World(launches=2, truths=TRUTHS[:2]))
    (comparison,) = summarise(manifest, trials).comparisons
    with styled():
        chart = cpu_chart(comparison, "foot")

    assert "session-db 1." in chart.alt
    assert chart.png.startswith(b"\x89PNG")
