"""The arms of a comparison, and which strategies each side has."""

from pathlib import Path

import pytest

from apps.contract.registry import strategies
from authbench.errors import UsageError
from authbench.gate.arms import ARMS, BURDENED, arms_of_trees, burdened, same_arms
from authbench.gate.trees import Tree
from authbench.stack.replicas import ROOT
from tests.unit.gate.made import write

JWT = ROOT / "apps" / "strategies" / "jwt_hs256.py"


def tree(folder: Path, side: str, *names: str) -> Tree:
    """A source tree with these strategies only, each a copy of jwt-hs256 under its own name."""
    text = JWT.read_text(encoding="utf-8")
    root = folder / side
    files = {f"apps/strategies/{name.replace('-', '_')}.py": text.replace('"jwt-hs256"', f'"{name}"') for name in names}
    write(root, {"apps/__init__.py": "", **files})
    return Tree(root, f"/python/of/{side}", "0" * 40, f"{side} (000000000)")


def test_base_and_twin_are_of_one_tree_and_the_candidate_of_the_other(tmp_path: Path) -> None:
    base, candidate = tree(tmp_path, "base", "jwt-hs256"), tree(tmp_path, "cand", "jwt-hs256")
    (arms,) = arms_of_trees(base, candidate, ["jwt-hs256"])
    assert arms.strategy == "jwt-hs256"
    assert tuple(arms.variants) == ARMS
    found = {arm: (variant.name, variant.root, variant.python) for arm, variant in arms.variants.items()}
    assert found == {
        "base": ("jwt-hs256-base", base.root, base.python),
        "twin": ("jwt-hs256-twin", base.root, base.python),
        "cand": ("jwt-hs256-cand", candidate.root, candidate.python),
    }
    assert arms.all() == tuple(arms.variants.values())


def test_names_of_arms_are_of_one_length_so_that_answers_are() -> None:
    arms = same_arms(strategies()["jwt-hs256"], injected=True)
    assert len({len(variant.name) for variant in arms.all()}) == 1


def test_each_side_has_its_own_declaration_of_a_strategy(tmp_path: Path) -> None:
    base, candidate = tree(tmp_path, "base", "jwt-hs256"), tree(tmp_path, "cand", "jwt-hs256")
    changed = candidate.root / "apps" / "strategies" / "jwt_hs256.py"
    changed.write_text(changed.read_text(encoding="utf-8").replace('"freshness": "claims"', '"freshness": "row"'))
    (arms,) = arms_of_trees(base, candidate, ["jwt-hs256"])
    assert [variant.strategy.freshness for variant in arms.all()] == ["claims", "claims", "row"]


def test_a_strategy_that_both_sides_have_need_not_be_the_benchs_own(tmp_path: Path) -> None:
    base, candidate = tree(tmp_path, "base", "brand-new"), tree(tmp_path, "cand", "brand-new")
    (arms,) = arms_of_trees(base, candidate, ["brand-new"])
    assert arms.variants["cand"].strategy.settings == "apps.strategies.brand_new"


@pytest.mark.parametrize(("with_it", "without"), [("base", "cand"), ("cand", "base")])
def test_a_strategy_that_one_side_lacks_is_refused_by_the_name_of_that_side(
    tmp_path: Path, with_it: str, without: str
) -> None:
    trees = {with_it: tree(tmp_path, with_it, "brand-new"), without: tree(tmp_path, without, "jwt-hs256")}
    with pytest.raises(UsageError, match=rf"--strategies brand-new: {without} \(000000000\) has no such strategy"):
        arms_of_trees(trees["base"], trees["cand"], ["brand-new"])


def test_a_strategy_of_the_running_checkout_that_the_base_lacks_is_refused(tmp_path: Path) -> None:
    """A new strategy is in the work tree that the bench runs from, and not in the commit compared with."""
    base, candidate = tree(tmp_path, "base", "jwt-hs256"), tree(tmp_path, "cand", "jwt-hs256", "jwt-row")
    with pytest.raises(UsageError, match="has no such strategy"):
        arms_of_trees(base, candidate, ["jwt-row"])


def test_calibration_runs_the_same_build_three_times_and_a_burdened_one_where_asked() -> None:
    strategy = strategies()["session-db"]
    plain, injected = same_arms(strategy, injected=False), same_arms(strategy, injected=True)
    assert tuple(plain.variants) == ARMS
    assert tuple(injected.variants) == (*ARMS, "slow")
    assert {(v.root, v.python, v.wsgi, *v.environment.items()) for v in plain.all()} == {
        (v.root, v.python, v.wsgi) for v in plain.all()[:1]
    }
    slow = injected.variants["slow"]
    assert (slow.wsgi, slow.environment) == (BURDENED, {"AUTHBENCH_BURDEN_TURNS": "0"})
    assert burdened(strategy, 700).environment == {"AUTHBENCH_BURDEN_TURNS": "700"}
    assert burdened(strategy, 700).name == slow.name


def test_what_another_framework_serves_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match=r"--strategies starlette-jwt: is served by apps.services.starlette_shop"):
        same_arms(strategies()["starlette-jwt"], injected=False)
