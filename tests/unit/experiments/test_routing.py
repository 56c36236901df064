"""Routing without a stack: who keeps which login, where clients come from, what is counted, what it takes."""

import ipaddress
from pathlib import Path
from random import Random

import pytest

from apps.contract.credentials import Bearer
from apps.contract.endpoints import ROUTE_COOKIE
from apps.contract.registry import strategies
from authbench.balancing import BALANCINGS
from authbench.experiments.routing.clients import Client, networks, one_network
from authbench.experiments.routing.counting import OFFICE, cells
from authbench.experiments.routing.logins import Logins, deal_files, keeper_of
from authbench.experiments.routing.plan import RoutingPlan
from authbench.metric import METRICS
from authbench.scenario_file import PROFILES, load_scenario

REPLICAS = ("session-file-1", "session-file-2", "session-file-3")


def row(number: int, **cookies: str) -> dict[str, object]:
    """A minted login."""
    credential = {"cookies": {"__Host-sessionid": f"key{number}", **cookies}}
    return {"id": number, "username": f"user{number:05}", "permissions": [], "credential": credential}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scenario_holds_what_the_experiment_needs(profile: str) -> None:
    scenario = load_scenario("routing", profile, known_strategies=strategies(), known_metrics=METRICS)
    (plan,) = scenario.experiment
    assert isinstance(plan, RoutingPlan)
    assert set(plan.method) == set(BALANCINGS)
    assert {name for name, _ in plan.loaded} | {plan.pilot} <= set(scenario.factors.strategy)
    # each replica keeps a third of the logins: enough for a crowd that an address sends to one of them alone
    assert scenario.data.live_sessions // 3 > plan.users


def test_more_launches_and_rates_take_longer() -> None:
    plan = RoutingPlan(kind="routing")
    assert plan.estimated_seconds(6, 6) > plan.estimated_seconds(6, 2) > plan.estimated_seconds(2, 2) > 0


def test_strangers_share_no_network_and_an_office_is_one() -> None:
    strangers = [ipaddress.ip_network(f"{each}/24", strict=False) for each in networks(2_000, Random(1))]
    assert len(set(strangers)) == 2_000
    assert all(each.is_loopback for each in strangers)
    office = [ipaddress.ip_network(f"{each}/24", strict=False) for each in one_network(200, Random(1))]
    assert len(set(office)) == 1
    assert len(set(one_network(200, Random(1)))) == 200


def test_who_keeps_a_login() -> None:
    known = strategies()
    kept = {name: keeper_of(known[name], "shared") for name in ("session-locmem", "session-file", "session-cookie")}
    assert kept == {"session-locmem": "replica", "session-file": "shared", "session-cookie": "client"}
    assert keeper_of(known["session-file"], "unshared") == "replica"
    assert keeper_of(known["session-db"], "unshared") == "shared"
    assert keeper_of(known["jwt-denylist"], "unshared") == "shared"


def test_a_client_is_given_a_login_of_the_replica_that_it_met() -> None:
    logins = Logins([row(number) for number in range(6)], "replica", REPLICAS)
    assert [logins.at("session-file-2")["id"] for _ in range(3)] == [1, 4, 1]
    assert logins.at("session-file-1")["id"] == 0


def test_a_route_says_whose_login_it_is() -> None:
    rows = [row(0, **{ROUTE_COOKIE: REPLICAS[2]}), row(1, **{ROUTE_COOKIE: REPLICAS[1]}), row(2)]
    logins = Logins(rows, "replica", REPLICAS[1:])
    assert logins.at(REPLICAS[2])["id"] == 0
    assert logins.at(REPLICAS[1])["id"] == 1


def test_a_shared_login_is_everybodys_and_a_replica_without_logins_is_an_error() -> None:
    assert Logins([row(7)], "shared", REPLICAS).at("session-file-3")["id"] == 7
    with pytest.raises(ValueError, match="session-file-2: no logins"):
        Logins([row(0)], "replica", REPLICAS)


def test_session_files_are_dealt_as_logins_are(tmp_path: Path) -> None:
    rows = [row(number) for number in range(7)]
    shared = tmp_path / "shared"
    shared.mkdir()
    for number in range(7):
        (shared / f"__Host-sessionidkey{number}").write_text(str(number))
    own = {name: tmp_path / "own" / name for name in REPLICAS}
    deal_files(rows, shared, own)
    assert {file.name for file in own["session-file-1"].iterdir()} == {f"__Host-sessionidkey{n}" for n in (0, 3, 6)}
    logins = Logins(rows, "replica", REPLICAS)
    for name, folder in own.items():
        for _ in range(4):
            assert (folder / f"__Host-sessionidkey{logins.at(name)['id']}").is_file()
    assert len(list(shared.iterdir())) == 7
    assert (own["session-file-1"].stat().st_mode & 0o777) == 0o700


def test_a_login_that_is_no_cookie_leaves_the_balancers_cookie_where_it_is() -> None:
    jwt = strategies()["jwt-hs256"]
    minted = {**row(1), "credential": {"access_token": "a.b.c"}}
    client = Client(jwt, "127.1.1.1").logged_in(minted, "jwt-hs256-1")
    assert client.credential == Bearer("a.b.c")
    assert client.jar.jar == ()


def test_every_method_meets_every_event_and_addresses_meet_an_office_too() -> None:
    both = [strategies()["session-locmem"], strategies()["jwt-hs256"]]
    wanted = list(cells(both, "shared", BALANCINGS))
    assert len(wanted) == 2 * 3 * len(BALANCINGS) + 2
    assert {cell.method for cell in wanted if cell.clients == OFFICE} == {"ip hash", "ip consistent"}
    assert len({tuple(sorted(cell.levels().items())) for cell in wanted}) == len(wanted)
