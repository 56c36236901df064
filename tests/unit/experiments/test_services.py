"""The plan of the `services` experiment, its requests, and who knows what: nothing is started here."""

import json
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from apps.contract.registry import strategies
from authbench.experiments.services.measurement import warming
from authbench.experiments.services.plan import CHECKINGS, ServicesPlan, services_of, shape_of
from authbench.experiments.services.requests import answer_of, path_of, write_mesh_requests
from authbench.experiments.services.ways import (
    HEADER_KEY,
    INTERNAL_KEY,
    INTERNAL_PUBLIC_KEY,
    USER_KEY,
    WAYS,
    Secrets,
    public_half,
)
from authbench.metric import METRICS
from authbench.scenario_file import PROFILES, SCENARIOS, load_scenario

ROWS = [
    {"id": 1, "username": "anna", "permissions": [], "credential": {"access_token": "a.b.c"}},
    {"id": 2, "username": "bo", "permissions": [], "credential": {"access_token": "d.e.f"}},
]


def plan(*topologies: str) -> ServicesPlan:
    return ServicesPlan(kind="services", topology=topologies, rate_rps=10, rate_s=0.55, closed_s=1)


@pytest.mark.parametrize(
    ("topology", "shape", "services"), [("chain-1", ("chain", 1), 1), ("fan-out-8", ("fan-out", 8), 9)]
)
def test_a_topology_says_its_shape_and_how_many_services_check(
    topology: str, shape: tuple[str, int], services: int
) -> None:
    assert shape_of(topology) == shape
    assert services_of(topology) == services


@pytest.mark.parametrize("topology", ["chain", "chain-0", "fanout-2", "ring-3", "chain-17", "fan-out-16"])
def test_what_is_no_topology_is_refused(topology: str) -> None:
    with pytest.raises(ValidationError):
        plan(topology)


def test_a_plan_runs_all_services_of_its_largest_topology() -> None:
    assert plan("chain-8", "fan-out-8").services == 9
    assert plan("chain-8", "fan-out-4").services == 8
    assert plan("chain-1").rate_requests == 6


def test_the_answer_names_the_caller_at_every_service() -> None:
    chain = json.loads(answer_of("chain-3", 7, "anna"))
    numbers = []
    at = [chain]
    while at:
        assert (at[0]["id"], at[0]["username"]) == (7, "anna")
        numbers.append(at[0]["service"])
        at = at[0]["below"]
    assert numbers == [1, 2, 3]
    fan = json.loads(answer_of("fan-out-2", 7, "anna"))
    assert fan["service"] == 1
    assert [(each["service"], each["id"], each["below"]) for each in fan["below"]] == [(2, 7, []), (3, 7, [])]


def test_each_user_s_request_expects_the_whole_answer(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    write_mesh_requests(path, ROWS, strategies()["jwt-es256"], "chain-2")
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["exact"] for each in written] == [answer_of("chain-2", r["id"], r["username"]).decode() for r in ROWS]
    assert {each["path"] for each in written} == {path_of("chain-2")} == {"/chain/2"}
    assert written[0]["headers"] == [["Authorization", "Bearer a.b.c"]]
    assert path.stat().st_mode & 0o077 == 0


def test_processes_are_warmed_by_the_topologies_that_pass_them_all() -> None:
    assert warming(("chain-1", "fan-out-4", "chain-8")) == ["chain-8"]
    assert warming(("chain-8", "fan-out-8", "chain-2")) == ["chain-8", "fan-out-8"]
    assert warming(("fan-out-2", "fan-out-4")) == ["fan-out-4"]


def test_no_service_can_issue_what_it_verifies_but_by_the_shared_key() -> None:
    assert set(WAYS) == set(CHECKINGS)
    assert WAYS["forwarded-jwt"].knows == {"service": (USER_KEY,)}
    assert WAYS["exchanged-jwt"].knows["service"] == (INTERNAL_PUBLIC_KEY,)
    assert [role for role, known in WAYS["exchanged-jwt"].knows.items() if INTERNAL_KEY in known] == ["auth"]
    assert WAYS["edge-header"].knows["service"] == (HEADER_KEY,)
    assert {way.strategy for way in WAYS.values()} <= set(strategies())


def test_public_variables_hold_public_halves() -> None:
    secrets, user = Secrets(), Secrets().internal
    known = secrets.known({"AUTHBENCH_EC_KEY": user, "AUTHBENCH_SERVICE_SECRET": "s"}, "http://127.0.0.1:1")
    assert known[USER_KEY] == public_half(user)
    assert known[INTERNAL_PUBLIC_KEY] == public_half(known[INTERNAL_KEY])
    assert "PRIVATE" not in known[USER_KEY] + known[INTERNAL_PUBLIC_KEY]
    assert secrets.internal not in repr(secrets)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scenario_names_what_the_ways_need(profile: str) -> None:
    scenario = load_scenario(
        "microservices", profile, known_strategies=strategies().keys(), known_metrics=METRICS.keys()
    )
    (experiment,) = scenario.experiment
    assert isinstance(experiment, ServicesPlan)
    assert {WAYS[name].strategy for name in experiment.checking} == set(scenario.factors.strategy)
    assert experiment.users < scenario.data.live_sessions


def test_the_quick_profile_takes_less_than_two_minutes() -> None:
    document = tomllib.loads((SCENARIOS / "microservices.toml").read_text())
    scenario = load_scenario("microservices", "quick", known_strategies=strategies().keys(), known_metrics=METRICS)
    (experiment,) = scenario.experiment
    strategies_s = 12 + 2 * len(document["factors"]["strategy"])  # the stack, and each strategy's verification
    assert strategies_s + experiment.estimated_seconds(3, scenario.profile.launches) < 120
