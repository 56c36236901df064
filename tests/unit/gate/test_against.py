"""Tier by tier: what is measured, and what is left out once a lower tier has an answer. No stack is started."""

import json
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from authbench.gate import against
from authbench.gate.against import GateOrder
from authbench.gate.arms import ARMS, Arms
from authbench.gate.decision import Plan
from authbench.gate.limits import Limits
from authbench.progress import Silent
from tests.unit.gate.made import launched, operations, row, twin


def order(folder: Path, **other: Any) -> GateOrder:
    told: dict[str, Any] = {"against": "main", "strategies": ("jwt",), "limits": Limits(), "folder": folder}
    return GateOrder(**{**told, **other})


ONE = (Arms("jwt", {arm: SimpleNamespace(name=f"jwt-{arm}") for arm in ARMS}),)  # type: ignore[misc]


class Stack:
    """Counts the same of all, but of the candidate what it is told."""

    def __init__(self, **candidate: Any) -> None:
        self.candidate = candidate
        self.asked: list[tuple[list[str], Sequence[str]]] = []

    def operations_of(self, variants: Sequence[Any], endpoints: Sequence[str]) -> dict[str, Any]:
        self.asked.append(([each.name for each in variants], endpoints))
        return {each.name: operations(**(self.candidate if each.name.endswith("cand") else {})) for each in variants}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Launches of tier 2 as (stage, number); they find nothing. Tier 1 finds one row."""
    measured: list[tuple[int, int]] = []

    class Launches:
        def launch(self, stage: int, number: int, strategies: Sequence[str]) -> list[Any]:
            measured.append((stage, number))
            return launched((0.001, -0.001)[number % 2], stage=stage, launch=number)

    @contextmanager
    def alternation(*_: Any):
        yield Launches()

    monkeypatch.setattr(against, "alternation", alternation)
    monkeypatch.setattr(against, "unavailable", lambda: None)
    monkeypatch.setattr(
        against, "instruction_rows", lambda *_: [row(tier=1, metric="instructions_per_request", unit="instructions")]
    )
    return measured


def tiers(asked: GateOrder, stack: Stack) -> tuple[list[Any], list[Any], list[str]]:
    return against._tiers(asked, stack, ONE, Silent())  # type: ignore[arg-type]


def test_all_tiers_are_measured_where_the_lower_ones_pass(tmp_path: Path, measured: list[Any]) -> None:
    stack = Stack()
    rows, twins, notes = tiers(order(tmp_path), stack)
    assert [row.tier for row in rows] == sorted(row.tier for row in rows)
    assert {row.tier for row in rows} == {0, 1, 2}
    assert {row.outcome for row in rows} == {"pass"}
    assert [each.strategy for each in twins] == ["jwt"]
    assert notes == []
    assert stack.asked == [(["jwt-base", "jwt-twin", "jwt-cand"], against.ENDPOINTS)]
    assert measured == [(1, number) for number in range(Plan().fewest)]


def test_a_regression_in_the_counts_ends_it_and_says_what_was_left_out(tmp_path: Path, measured: list[Any]) -> None:
    rows, twins, notes = tiers(order(tmp_path), Stack(sql=["a", "b", "c"]))
    assert {row.tier for row in rows} == {0}
    assert (twins, measured) == ([], [])
    assert [note[:24] for note in notes] == ["tier 1 was not needed: a", "tier 2 was not needed: a"]
    assert all("--keep-going" in note for note in notes)


def test_going_on_all_the_same_measures_every_tier(tmp_path: Path, measured: list[Any]) -> None:
    rows, twins, notes = tiers(order(tmp_path, keep_going=True), Stack(sql=["a", "b", "c"]))
    assert {row.tier for row in rows} == {0, 1, 2}
    assert (len(twins), notes) == (1, [])


def test_what_is_not_compared_ends_nothing(tmp_path: Path, measured: list[Any]) -> None:
    rows, _, notes = tiers(order(tmp_path), Stack(calls=None))
    assert "not compared" in {row.outcome for row in rows}
    assert ({row.tier for row in rows}, notes) == ({0, 1, 2}, [])


@pytest.mark.parametrize("chosen", [(0,), (1,), (2,), (0, 2), (0, 1)])
def test_only_the_tiers_asked_for(tmp_path: Path, measured: list[Any], chosen: tuple[int, ...]) -> None:
    stack = Stack()
    rows, _, notes = tiers(order(tmp_path, tiers=chosen), stack)
    assert ({row.tier for row in rows}, notes) == (set(chosen), [])
    assert bool(stack.asked) == (0 in chosen)
    assert bool(measured) == (2 in chosen)


def test_without_valgrind_tier_1_is_left_out_with_the_reason(
    tmp_path: Path, measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(against, "unavailable", lambda: "valgrind is not installed")
    rows, _, notes = tiers(order(tmp_path), Stack())
    assert {row.tier for row in rows} == {0, 2}
    assert notes == ["tier 1 was left out: valgrind is not installed"]


def test_every_window_is_on_disk(tmp_path: Path, measured: list[Any]) -> None:
    tiers(order(tmp_path, tiers=(2,)), Stack())
    lines = [json.loads(line) for line in (tmp_path / against.WINDOWS_FILE).read_text().splitlines()]
    assert len(lines) == 3 * len(measured)
    assert {line["arm"] for line in lines} == set(ARMS)


def test_windows_measured_before_an_interrupt_are_on_disk(
    tmp_path: Path, measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(Silent):
        def phase(self, name: str) -> None:
            if name.endswith("launch 3"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        against._tiers(order(tmp_path, tiers=(2,)), Stack(), ONE, Ended())  # type: ignore[arg-type]
    assert len((tmp_path / against.WINDOWS_FILE).read_text().splitlines()) == 6


def test_twins_go_to_the_ledger_and_a_ledger_that_fails_costs_no_verdict(tmp_path: Path) -> None:
    found, notes = against._ledger(order(tmp_path, ledger=tmp_path / "ledger.jsonl"), [twin()])
    assert (found is not None and found.twins, notes) == (1, [])
    (tmp_path / "other.md").write_text("# text\n")
    found, notes = against._ledger(order(tmp_path, ledger=tmp_path / "other.md"), [twin()])
    assert found is None
    assert notes[0].startswith("the ledger was not written: ")
    assert "name another with --ledger" in notes[0]


def test_without_twins_or_a_ledger_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert against._ledger(order(tmp_path, ledger=path), []) == (None, [])
    assert against._ledger(order(tmp_path, ledger=None), [twin()]) == (None, [])
    assert not path.exists()
