"""A new run, or the rest of an old one: the folder knows every option, and others are refused."""

import json
from pathlib import Path

import pytest

from apps.contract.registry import strategies
from authbench.errors import UsageError
from authbench.metric import METRICS
from authbench.order import Asked, order_for
from authbench.scenario_file import load_scenario
from tests.unit.analysis.synthetic import TRUTHS, World, make

CHOSEN = "none,session-db,jwt-hs256"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of `compare --profile quick --strategies … --seed 7`."""
    manifest, _, _ = make(World(launches=1, truths=TRUTHS[:1], seed=7))
    scenario = load_scenario(
        "compare",
        "quick",
        known_strategies=strategies().keys(),
        known_metrics=METRICS.keys(),
        overrides={"strategy": CHOSEN.split(",")},
    )
    told = manifest.model_copy(update={"scenario": scenario.model_dump(mode="json")})
    (tmp_path / "manifest.json").write_text(told.model_dump_json(), encoding="utf-8")
    return tmp_path


def resume(folder: Path, **asked: object):
    return order_for(Asked(**asked), out=None, resume=folder, command="authbench run …")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"scenario": "compare"},
        {"profile": "quick"},
        {"strategies": CHOSEN},
        {"levels": ("replicas=2",)},
        {"seed": 7},
        {"scenario": "compare", "profile": "quick", "strategies": CHOSEN, "seed": 7},
    ],
)
def test_the_folder_is_enough_and_the_same_options_do_no_harm(folder: Path, asked: dict[str, object]) -> None:
    order = resume(folder, **asked)
    assert order.resume
    assert order.seed == 7
    assert order.scenario.profile_name == "quick"
    assert ",".join(order.scenario.factors.strategy) == CHOSEN


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seed": 6}, "seed is 7 there, 6 here"),
        ({"profile": "standard"}, "profile is quick there, standard here"),
        ({"strategies": "none,session-db"}, f"strategy is {CHOSEN} there, none,session-db here"),
        ({"levels": ("replicas=1,2",)}, "replicas is 2 there, 1,2 here"),
        ({"levels": ("distance=1",)}, "distance is no such factor there"),
        ({"seed": 6, "profile": "standard"}, "; profile is"),
    ],
)
def test_another_option_is_refused_in_one_line(folder: Path, asked: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match="another scenario or seed") as refused:
        resume(folder, **asked)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert f"authbench run --resume {folder}" in str(refused.value)


def test_another_scenario_file_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "compare.toml"
    text = Path("scenarios/compare.toml").read_text(encoding="utf-8")
    other.write_text(text.replace("margin = 0.03", "margin = 0.05"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"margin is 0.03 there, 0.05 here"):
        resume(folder, scenario=str(other))


def test_a_folder_in_which_nothing_was_measured(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="start the run anew with --out"):
        resume(tmp_path)


def test_a_scenario_of_another_version_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["scenario"]["weather"] = "fine"
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(UsageError, match="weather"):
        resume(folder)


def test_a_new_run_takes_the_defaults_and_never_another_runs_folder(folder: Path, tmp_path: Path) -> None:
    order = order_for(Asked(), out=tmp_path / "new", resume=None, command="authbench run")
    assert (order.scenario.name, order.scenario.profile_name, order.seed) == ("compare", "standard", 1)
    assert not order.resume
    with pytest.raises(UsageError, match="holds a run already"):
        order_for(Asked(), out=folder, resume=None, command="authbench run")
    with pytest.raises(UsageError, match="give one of them"):
        order_for(Asked(), out=folder, resume=folder, command="authbench run")
