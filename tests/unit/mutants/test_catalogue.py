"""Every mutant fits the present source, and the page is what the results give."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from apps.contract.registry import strategies
from tests.mutants.catalogue import MUTANTS
from tests.mutants.commands import Answer, Gate, Run, Verify, statements
from tests.mutants.mutant import Edit, Mutant
from tests.mutants.outcome import Good, Planted, Trust, read_trust
from tests.mutants.page import TRUST_MD, page, upper_bound
from tests.mutants.tree import ROOT, NotPlantedError, plant
from tests.mutants.trials import raised


def test_there_are_enough_of_each_kind_under_names_of_their_own() -> None:
    kinds = Counter(mutant.kind for mutant in MUTANTS.values())
    assert kinds["security"] >= 12
    assert kinds["correctness"] >= 8
    assert kinds["cost"] >= 8
    assert all(name == mutant.name for name, mutant in MUTANTS.items())


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_a_mutant_fits_the_present_source(mutant: Mutant, tmp_path: Path) -> None:
    """Its text stands there exactly once, what comes in its place is Python, and its command knows its strategies."""
    for edit in mutant.edits:
        assert edit.file.startswith(("apps/shop/", "apps/strategies/"))  # not what the bench reads too
        copy = tmp_path / edit.file
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / edit.file).read_bytes())
    plant(tmp_path, mutant.edits)
    changed = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.py")}
    for path in changed:
        before, after = ((root / path).read_text(encoding="utf-8") for root in (ROOT, tmp_path))
        assert ast.dump(ast.parse(before)) != ast.dump(ast.parse(after))
    command = mutant.command
    named = command.strategies if isinstance(command, Verify) else (command.strategy,)  # type: ignore[attr-defined]
    assert set(named) <= set(strategies())
    assert all(mutant.words)


@pytest.mark.parametrize("old", ["is not there", "twice"])
def test_a_text_that_is_not_there_exactly_once_is_refused_and_nothing_is_changed(old: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("once = 1  # twice, twice\n", encoding="utf-8")
    with pytest.raises(NotPlantedError, match=r"a\.py"):
        plant(tmp_path, (Edit("a.py", "once", "first"), Edit("a.py", old, "else")))
    assert file.read_text(encoding="utf-8").startswith("once")


def test_an_answer_names_a_defect_only_where_one_statement_holds_all_words() -> None:
    printed = (
        '{"rows": [{"metric": "cpu", "outcome": "pass"}, {"metric": "sql", "outcome": "regression"}], "why": "x"}\n'
    )
    answer = Answer(1, tuple(statements(printed)), 1.0)
    assert answer.naming(("sql", "Regression")) == "metric=sql, outcome=regression"
    assert answer.naming(("cpu", "regression")) is None
    assert answer.naming(("x",)) == "why=x"


def test_a_loud_machine_accuses_nobody() -> None:
    run, gate, verify = Run("jwt-hs256"), Gate("jwt-hs256"), Verify(("jwt-hs256",))
    loud = Answer(3, ("code=steal, message=steal 9 %",), 1.0)
    lost = Answer(3, ("code=steal, message=steal 9 %", "code=orders-differ, message=1 lost"), 1.0)
    assert raised(run, loud) == ()
    assert raised(run, lost) == ("orders-differ",)
    assert raised(gate, Answer(5, ("outcome=inconclusive",), 1.0)) == ()
    assert raised(gate, Answer(1, ("outcome=regression",), 1.0)) == ("outcome=regression",)
    assert raised(verify, Answer(1, ("whoami of user00001: 401",), 1.0)) == ("whoami of user00001: 401",)
    assert raised(run, Answer(4, ("a part failed",), 1.0)) == ("a part failed",)


def test_the_page_is_what_the_results_give() -> None:
    """Write it anew with `python -m tests.mutants page`."""
    assert TRUST_MD.read_text(encoding="utf-8") == page(read_trust())


def test_every_mutant_was_run_by_the_command_that_it_has_now() -> None:
    planted = {each.name: each for each in read_trust().planted}
    assert set(planted) == set(MUTANTS)
    assert {name: each.command for name, each in planted.items()} == {
        name: mutant.command.shown for name, mutant in MUTANTS.items()
    }


def test_what_is_not_named_and_what_is_accused_wrongly_stand_on_the_page() -> None:
    told = {"exit_code": 0, "seconds": 1.0, "source": "abc", "utc": "2026-01-01T00:00:00+00:00"}
    missed = Planted(name="alg-none", command="verify", named=False, statement="all is well", **told)  # type: ignore[arg-type]
    good = [
        Good(round=at, command="verify", raised=("a lie",) if at == 1 else (), machine=(), **told)  # type: ignore[arg-type]
        for at in range(20)
    ]
    written = page(Trust(planted=(missed,), good=tuple(good)))
    assert f"**0 of {len(MUTANTS)} mutants are named.**" in written
    assert "| **no** | 1 |" in written
    assert "`all is well`" in written
    assert "| `verify` | 20 | 1 | 21.6 % | 0 | 1 |" in written
    assert "`a lie`" in written


def test_none_of_twenty_shows_only_so_much() -> None:
    assert upper_bound(0, 20) == pytest.approx(0.139, abs=0.001)
    assert upper_bound(1, 1) == 1.0
