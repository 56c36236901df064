"""The page: one file, no network, no scripts, everything traceable."""

import re

import pytest

from authbench.analysis.summary import summarise
from reports.build import draw
from reports.html import html
from tests.unit.analysis.synthetic import TRUTHS, World, make


@pytest.fixture(scope="module")
def page():
    manifest, trials, series = make(
        World(launches=2, truths=TRUTHS[:5], rejected=frozenset({"session-cache"}), broken=frozenset({1}))
    )
    summary = summarise(manifest, trials)
    return html(manifest, summary, draw(manifest, summary, trials, series))


def test_nothing_is_fetched_from_anywhere(page):
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert re.findall(r"https?://", page) == []
    assert re.findall(r"<(?:script|iframe|object|embed|form|base)\b", page) == []
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "@import" not in page
    assert "url(" not in page


def test_the_order_is_answer_cost_pairs_charts_validity_production_method(page):
    assert re.findall(r'<section id="(\w+)"', page) == [
        "answer", "cost", "pairs", "charts", "validity", "production", "method",
    ]  # fmt: skip


def test_every_chart_has_its_reading_and_its_words(page):
    assert page.count("<figure>") == page.count("How to read this.") == 5
    assert all(len(alt) > 20 for alt in re.findall(r'<img [^>]*alt="([^"]*)"', page))


def test_numbers_can_be_traced_to_trials(page):
    assert re.search(r'title="trials \d[\d, –]*; n = 2 launches"', page)
    assert "Verdicts and trials behind every number" in page
    assert "Every invalid trial and its reasons" in page
    assert "steal 4.1%, over 2%" in page


def test_what_failed_verification_is_named(page):
    assert "Not ranked: failed verification" in page
    assert "whoami answered 200 to a credential with one character changed" in page


def test_what_differs_from_production_and_how_to_repeat_it(page):
    for text in ("TLS is not used between any two parts.", "authbench run compare --profile quick --seed 7", "18.0"):
        assert text in page
