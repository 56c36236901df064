"""What a scenario may vary beside strategy and load: levels, launches, and which deployment does what first."""

from pathlib import Path

import pytest

from authbench.deployable import NOTHING_MORE, needs_of, why_not
from authbench.deployment import Deployment
from authbench.design import base_deployment, plan, slowest_deployment
from authbench.errors import UsageError
from authbench.selection import chosen_scenario
from tests.unit.test_scenario import COMPARE, load

DEPLOYED = 'replicas = [2]\npooling = ["new", "pool"]\nserving = ["threads", "asgi"]\ndistance_ms = [0, 2.5]'


def varied(tmp_path: Path, text: str = DEPLOYED) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(COMPARE.replace("replicas = [2]", text), encoding="utf-8")
    return str(path)


def test_every_combination_is_a_deployment_and_its_levels_are_in_every_cell(tmp_path: Path) -> None:
    scenario = load(varied(tmp_path))
    assert len(scenario.factors.deployments()) == 2 * 2 * 2
    assert len(scenario.cells()) == 8 * len(scenario.factors.strategy) * len(scenario.factors.load)
    levels = scenario.cells()[0].levels()
    assert levels | {"strategy": "", "load": ""} == {
        "strategy": "",
        "workload": "whoami",
        "load": "",
        "replicas": 2,
        "serving": "threads",
        "pooling": "new",
        "distance_ms": 0,
    }


def test_a_scenario_that_varies_none_has_the_four_usual_levels_only() -> None:
    scenario = load("compare")
    assert set(scenario.cells()[0].levels()) == {"strategy", "workload", "load", "replicas"}
    assert set(scenario.factors.varied()) == {"strategy", "workload", "load", "replicas"}


def test_each_deployment_has_launches_of_its_own_in_an_order_drawn_anew(tmp_path: Path) -> None:
    scenario = load(varied(tmp_path))
    launches = plan(scenario, scenario.cells(), 5)
    assert len(launches) == 8 * scenario.profile.launches
    for launch in launches:
        assert {trial.cell.deployment for trial in launch.trials()} == {launch.deployment}
    rounds = [tuple(launch.deployment for launch in launches[at : at + 8]) for at in range(0, len(launches), 8)]
    assert all(len(set(each)) == 8 for each in rounds)
    assert len(set(rounds)) > 1


def test_the_rate_for_all_is_found_where_replicas_are_fewest_and_stores_farthest(tmp_path: Path) -> None:
    scenario = load(varied(tmp_path, "replicas = [4, 1, 2]\ndistance_ms = [0, 5, 1]"))
    assert slowest_deployment(scenario) == Deployment(replicas=1, distance_ms=5)
    assert base_deployment(scenario) == Deployment(replicas=4, distance_ms=0)


def test_requests_in_flight_and_the_databases_limit_are_the_scenarios_to_say() -> None:
    scenario = chosen_scenario("pooling-asgi", "standard", None, [])
    assert {cell.deployment.connections for cell in scenario.cells()} == {16, 32, 64}
    assert scenario.stack.max_connections == 1000


def test_what_only_some_deployments_use_is_started_where_one_does(tmp_path: Path) -> None:
    assert needs_of([Deployment()]) == NOTHING_MORE
    needs = needs_of([Deployment(session_store="shared"), Deployment(session_store="separate", distance_ms=0)])
    assert (needs.session_server, needs.pgbouncer, needs.openbao) == (True, False, False)
    assert needs_of([Deployment(secrets="environment"), Deployment(secrets="openbao")]).openbao


def test_pgbouncer_that_is_not_installed_is_a_reason_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBENCH_PGBOUNCER", "/nowhere/pgbouncer")
    assert "pgbouncer" in (why_not(Deployment(pooling="pgbouncer")) or "")
    assert why_not(Deployment(pooling="pool")) is None


def test_openbao_that_is_not_installed_is_a_reason_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not(Deployment(secrets="openbao")) is None
    monkeypatch.setenv("AUTHBENCH_OPENBAO", "/nowhere/bao")
    assert "OPENBAO" in (why_not(Deployment(secrets="openbao")) or "")
    assert why_not(Deployment(secrets="environment")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('replicas = [2]\npooling = ["pol"]', "factors.pooling"),
        ("replicas = [2]\ndistance_ms = [-1]", "factors.distance_ms"),
        ('replicas = [2]\nserving = ["asgi", "asgi"]', "names a level twice"),
    ],
)
def test_levels_that_do_not_exist_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(varied(tmp_path, text))


EXPERIMENT = """
[[experiment]]
kind = "routing"
users = 8
[[experiment]]
kind = "reading"
"""


def experimenting(tmp_path: Path, more: str, changes: str = "") -> str:
    path = tmp_path / "mine.toml"
    text = COMPARE.replace("[profiles.quick]", f"{more}\n[profiles.quick]", 1)
    path.write_text(text.replace("[profiles.standard]", f"{changes}\n[profiles.standard]", 1), encoding="utf-8")
    return str(path)


def test_experiments_follow_each_other_and_a_profile_changes_each_by_its_kind(tmp_path: Path) -> None:
    path = experimenting(tmp_path, EXPERIMENT, "[profiles.quick.experiment.routing]\nusers = 4")
    assert [each.kind for each in load(path).experiment] == ["routing", "reading"]
    assert [load(path, profile).experiment[0].users for profile in ("quick", "standard")] == [4, 8]


def test_of_one_experiment_the_keys_are_named_alone(tmp_path: Path) -> None:
    path = experimenting(tmp_path, '[experiment]\nkind = "routing"', "[profiles.quick.experiment]\nusers = 5")
    assert load(path).experiment[0].users == 5


@pytest.mark.parametrize(
    ("more", "changes", "said"),
    [
        ('[experiment]\nkind = "rooting"', "", "experiment"),
        ('[experiment]\nkind = "routing"\nuser = 3', "", "'experiment.routing.user'; did you mean 'users'"),
        ('[experiment]\nkind = "routing"', "[profiles.quick.experiment]\nuser = 3", "experiment.user': no such key"),
        ("", "[profiles.quick.experiment]\nusers = 3", "no experiment 'users' to change"),
        (EXPERIMENT, "[profiles.quick.experiment.growth]\nrows = [1]", "no experiment 'growth' to change"),
        (EXPERIMENT + '[[experiment]]\nkind = "reading"', "", "a kind stands there twice"),
    ],
)
def test_a_mistake_in_an_experiment_names_the_key(tmp_path: Path, more: str, changes: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(experimenting(tmp_path, more, changes))
