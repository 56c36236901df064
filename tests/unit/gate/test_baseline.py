"""`gate --baseline`: ratios to the control and counts of two stored results; never seconds."""

from dataclasses import replace

import pytest

from authbench.errors import UsageError
from authbench.gate.baseline import compared
from authbench.gate.limits import Limit, Limits
from authbench.gate.result import GateRow
from authbench.records import Manifest, Trial
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make

LAUNCHES = 24
CPU = "cpu_ms_per_request"
Run = tuple[Manifest, tuple[Trial, ...]]


def run(**more: object) -> Run:
    manifest, trials, _ = make(World(launches=LAUNCHES, truths=TRUTHS[:3], loads=("saturate",), **more))  # type: ignore[arg-type]
    return manifest, trials


def rows_of(old: Run, new: Run, limits: Limits | None = None) -> dict[tuple[str, str], GateRow]:
    rows, _ = compared(old, new, limits or Limits())
    return {(row.strategy, row.metric): row for row in rows}


def test_the_same_build_on_another_day_passes() -> None:
    rows = rows_of(run(seed=1), run(seed=2))

    assert {row.outcome for row in rows.values()} <= {"pass", "not compared"}
    assert rows["session-db", "statements_per_request"].outcome == "pass"
    assert (rows["session-db", CPU].interval or (0, 9))[1] < 1.03
    assert ("none", CPU) not in rows  # the control's ratio to itself says nothing


def test_a_slower_strategy_is_a_regression_of_its_own_alone() -> None:
    rows = rows_of(run(seed=1), run(seed=2, factors={"session-db": 1.10}))

    assert rows["session-db", CPU].outcome == "regression"
    assert rows["session-db", CPU].ratio == pytest.approx(1.10, abs=0.02)
    assert rows["session-db-claims", CPU].outcome == "pass"


def test_a_machine_of_half_the_speed_is_no_regression() -> None:
    slow = run(seed=2, factors={truth.name: 2.0 for truth in TRUTHS[:3]})

    assert rows_of(run(seed=1), slow)["session-db", CPU].outcome == "pass"


def test_one_statement_more_is_a_regression_unless_it_is_allowed() -> None:
    more = tuple(replace(truth, sql=truth.sql + 1) if truth.name == "session-db" else truth for truth in TRUTHS[:3])
    manifest, trials, _ = make(World(seed=2, launches=LAUNCHES, truths=more, loads=("saturate",)))
    new = (manifest, trials)

    assert rows_of(run(seed=1), new)["session-db", "statements_per_request"].outcome == "regression"
    allowed = Limits(strategies={"session-db": {"statements_per_request": Limit(kind="count", most=1)}})
    assert rows_of(run(seed=1), new, allowed)["session-db", "statements_per_request"].outcome == "pass"


def test_a_strategy_that_lost_its_blocks_is_invalid() -> None:
    rows = rows_of(run(seed=1), run(seed=2, stuck=frozenset({"session-db"})))

    assert rows["session-db", CPU].outcome == "invalid"
    assert "new result" in rows["session-db", CPU].why


def test_two_launches_cannot_say() -> None:
    manifest, trials = run(seed=2)
    few = (manifest, tuple(trial for trial in trials if trial.launch < 1))

    assert rows_of(run(seed=1), few)["session-db", CPU].outcome == "inconclusive"


def test_every_loud_difference_is_told_first() -> None:
    manifest, trials = run(seed=2)
    other = manifest.model_copy(update={"machine": manifest.machine.model_copy(update={"cpu_model": "Another CPU"})})

    _, notes = compared(run(seed=1), (other, trials), Limits())

    assert "not measured alike" in notes[0]
    assert any("Another CPU" in note for note in notes)


def test_another_scenario_is_refused() -> None:
    manifest, trials = run(seed=2)
    other = manifest.model_copy(update={"question": manifest.question.model_copy(update={"name": "faults"})})

    with pytest.raises(UsageError, match="nothing may be compared"):
        compared(run(seed=1), (other, trials), Limits())


def test_results_without_a_cell_in_common_are_refused() -> None:
    manifest, trials = run(seed=2)
    moved = tuple(changed(trial, cell={**trial.cell, "replicas": 8}) for trial in trials[:4])

    with pytest.raises(UsageError, match="no cell in common"):
        compared(run(seed=1), (manifest, moved), Limits())


def test_what_all_strategies_share_may_be_the_machine() -> None:
    rows = rows_of(run(seed=1), run(seed=2, factors={"session-db": 1.4, "session-db-claims": 1.4}))

    assert rows["session-db", CPU].outcome == "inconclusive"
    assert "others moved too, by up to +" in rows["session-db", CPU].why


def test_a_strategy_that_moved_further_than_the_others_is_a_regression_still() -> None:
    rows = rows_of(run(seed=1), run(seed=2, factors={"session-db": 1.5, "session-db-claims": 1.2}))

    assert rows["session-db", CPU].outcome == "regression"
