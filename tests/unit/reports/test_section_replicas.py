"""The section on replicas: connections counted, the law fitted where there were budgets, and nothing else."""

import pytest

from authbench.analysis.scaling import law
from reports.charts.canvas import styled
from reports.sections.replicas import section
from reports.sections.section import Found
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make

COUNTS = (1, 2, 4, 8, 16)
THREADS = 4


def found(*, cpus: str = "0.04", launches: int = 6, factors: tuple[str, ...] = ()) -> Found:
    """A world in which session-db holds every thread's connection, and jwt-hs256 none."""
    truths = tuple(truth for truth in TRUTHS if truth.name in ("session-db", "jwt-hs256"))
    manifest, trials, _ = make(World(launches=launches, truths=truths, loads=("saturate",), requests=60))
    question = manifest.question
    levels = {**question.factors, "replicas": COUNTS, **dict.fromkeys(factors, ("a", "b"))}
    manifest = manifest.model_copy(
        update={
            "question": question.model_copy(update={"factors": levels}),
            "settings": {
                "replica": {"workers": "1", "threads": str(THREADS), "cpus": cpus},
                "postgresql": {"max_connections": "200"},
            },
        }
    )
    scaled = []
    for trial in trials:
        for count in COUNTS:
            database = trial.database
            assert database is not None
            held = count * THREADS if trial.strategy == "session-db" else 0
            scaled.append(
                changed(
                    trial,
                    trial=len(scaled),
                    cell={**trial.cell, "replicas": count},
                    database=database.model_copy(update={"connections_peak": held, "connections_mean": float(held)}),
                    load__achieved_rps=law(50.0, 0.02, 0.001, count),
                )
            )
    return Found(manifest, scaled, (), ())


def test_connections_are_told_for_every_number_of_replicas_and_where_the_limit_is_met() -> None:
    with styled():
        told = section(found())
    assert told is not None
    rows = {row[0]: row for row in told.tables[0].rows}
    assert rows["session-db"][1:7] == ("4", "8", "16", "32", "64", "4")
    assert rows["session-db"][-1] == "25"
    assert rows["jwt-hs256"][1:7] == ("0",) * 6
    assert rows["jwt-hs256"][-1] == "never"
    assert "session-db 4; jwt-hs256 holds none" in told.sentences[0].text
    assert told.sentences[0].certainty == "firm"
    assert [chart.name for chart in told.charts] == ["replicas-connections", "replicas-throughput"]


def test_the_law_is_told_with_intervals_and_with_its_error_where_it_was_not_fitted() -> None:
    with styled():
        told = section(found())
    assert told is not None
    row = told.tables[1].rows[0]
    assert row[1] == "50"
    assert row[-4].startswith("0.020 (")
    assert row[-2] in ("0.0 %", "-0.0 %")
    assert row[-1] == "31"  # sqrt(0.98 / 0.001)


def test_without_budgets_only_connections_are_compared_and_it_says_so() -> None:
    with styled():
        told = section(found(cpus="no limit"))
    assert told is not None
    assert len(told.tables) == len(told.charts) == len(told.sentences) == 1
    assert "only connections may be compared" in told.notes[0]


@pytest.mark.parametrize("factors", [("pooling",), ("distance_ms",)])
def test_it_is_not_there_where_something_else_is_asked(factors: tuple[str, ...]) -> None:
    assert section(found(factors=factors)) is None


def test_few_launches_are_tentative() -> None:
    with styled():
        told = section(found(launches=2))
    assert told is not None
    assert {sentence.certainty for sentence in told.sentences} == {"tentative"}
