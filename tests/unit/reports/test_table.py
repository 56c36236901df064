"""The terminal's table: readable at 120 columns, narrower by whole columns, never half a number."""

import io

import pytest
from rich.console import Console

from authbench.analysis.summary import summarise
from reports.table import print_summary
from tests.unit.analysis.synthetic import World, make
from tests.unit.reports.folder import HOSTILE, hostile_world


def printed(width, world):
    manifest, trials, _ = make(world)
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_summary(summarise(manifest, trials), console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(width):
    text = printed(width, World(launches=2))

    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for name in ("session-cookie-claims", "session-cached-db", "jwt-row"):
        assert name in text


def test_a_wide_terminal_shows_every_column():
    text = printed(120, World(launches=2))

    for head in ("lb", "app", "db", "cache", "control", "reference", "p99 ms", "peak", "cred.", "verdict"):
        assert head in text


def test_a_narrow_terminal_keeps_what_matters():
    text = printed(60, World(launches=2))

    assert "reference" in text
    assert "verdict" in text
    assert "cred." not in text


def test_the_pairs_stand_below():
    text = printed(120, World(launches=2))

    assert text.index("the user row costs") > text.index("verdict")


def test_names_are_no_markup():
    text = printed(200, hostile_world())

    assert "[red]markup" in text
    assert "\x1b" not in text
    assert HOSTILE[0] in text
