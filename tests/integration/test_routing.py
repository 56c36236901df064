"""Real replicas behind the real balancer: who is logged out is decided by who keeps the login, and by nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.contract.endpoints import REPLICA_HEADER, ROUTE_COOKIE
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.balancing import BALANCINGS
from authbench.conformance.checks import caller_of
from authbench.conformance.verification import Minted
from authbench.conformance.visitor import User, Visitor
from authbench.experiments.ground import Ground
from authbench.experiments.routing.measurement import measure
from authbench.experiments.routing.plan import RoutingPlan
from authbench.generator import Generator
from authbench.observed import Observation
from authbench.progress import Silent

pytestmark = pytest.mark.slow
LOCAL, TOKEN = "session-locmem", "jwt-hs256"
USERS, CREDENTIALS = 12, 60
PLAN = RoutingPlan(kind="routing", users=USERS, requests=2, in_flight=1, loaded=(), session_file=("shared",))


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    with EmbeddedStack(strategies=[strategies()[name] for name in (LOCAL, TOKEN)], replicas=2) as running:
        running.seed(users=CREDENTIALS, orders=0)
        yield running


@pytest.fixture(scope="module")
def minted(stack: EmbeddedStack) -> dict[str, Minted]:
    paths = stack.mint_all(list(stack.strategies.values()), CREDENTIALS)
    return {name: Minted.read(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def observed(
    stack: EmbeddedStack, minted: dict[str, Minted], tmp_path_factory: pytest.TempPathFactory
) -> list[Observation]:
    """One launch of the whole experiment, without its load."""
    rows: list[Observation] = []
    with Generator(tmp_path_factory.mktemp("routing") / "generator.log") as generator:
        measure(
            Ground(
                stack=stack,
                strategies=tuple(stack.strategies.values()),
                minted=minted,
                generator=generator,
                launches=1,
                seed=1,
                earlier=frozenset(),
                record=rows.append,
                watcher=Silent(),
            ),
            PLAN,
        )
    assert stack.replicas == 2  # as before
    stack.start_replicas()
    return rows


def values(observed: list[Observation], strategy: str, method: str, event: str, clients: str = "many networks") -> Any:
    (row,) = [
        row
        for row in observed
        if (row.levels["strategy"], row.levels["method"], row.levels["event"], row.levels["clients"])
        == (strategy, method, event, clients)
    ]
    return row.values


def test_every_answer_was_the_users_own_or_a_refusal(observed: list[Observation]) -> None:
    assert [row.reasons for row in observed] == [()] * len(observed)
    assert len(observed) == 2 * 3 * len(BALANCINGS) + 2


def test_exactly_those_are_logged_out_whose_request_meets_another_replica(observed: list[Observation]) -> None:
    for row in observed:
        met_another = row.values["moved_share"]
        assert row.values["logged_out_share"] == (met_another if row.levels["strategy"] == LOCAL else 0.0), row.levels
    assert values(observed, LOCAL, "round robin", "none")["logged_out_share"] > 0
    assert values(observed, TOKEN, "round robin", "none")["moved_share"] > 0


@pytest.mark.parametrize("method", ["cookie", "ip hash", "ip consistent"])
def test_nobody_moves_while_replicas_stay(observed: list[Observation], method: str) -> None:
    for strategy in (LOCAL, TOKEN):
        assert values(observed, strategy, method, "none")["moved_share"] == 0.0


def test_a_cookie_loses_those_of_the_replica_that_leaves_and_no_others(observed: list[Observation]) -> None:
    assert values(observed, LOCAL, "cookie", "joins")["logged_out_share"] == 0.0
    # first visits went round: four of twelve clients logged in at the replica that left
    assert values(observed, LOCAL, "cookie", "leaves")["logged_out_share"] == pytest.approx(1 / 3)
    assert values(observed, TOKEN, "cookie", "leaves")["moved_share"] == pytest.approx(1 / 3)


def test_an_office_is_one_client_to_ip_hash(observed: list[Observation]) -> None:
    assert values(observed, LOCAL, "ip hash", "none", "one network")["busiest_share"] == 1.0
    assert values(observed, LOCAL, "ip consistent", "none", "one network")["busiest_share"] < 1.0


def test_a_real_login_is_kept_as_the_minted_ones_are(
    stack: EmbeddedStack, minted: dict[str, Minted], observed: list[Observation]
) -> None:
    strategy = stack.strategies[LOCAL]
    stack.balance({LOCAL: "cookie"}, (1, 2))
    with httpx.Client(trust_env=False) as http:
        visitor = Visitor(http, stack.url(LOCAL), strategy)
        home = visitor.log_in(User(caller_of(dict(minted[LOCAL].customer)), stack.user_password)).replica
        assert dict(visitor.credential.dump()["cookies"])[ROUTE_COOKIE] == home
        assert {visitor.call("whoami").replica for _ in range(4)} == {home}
        stack.balance({}, (1, 2))
        met = {}
        while len(met) < 2:
            client = visitor.as_bearer_of(visitor.credential)
            answer = client.call("whoami")
            met[answer.replica] = answer.status
    assert met.pop(home) == 200
    assert list(met.values()) == [401]


def test_a_balancer_that_sets_the_cookie_tells_it_once(stack: EmbeddedStack, observed: list[Observation]) -> None:
    stack.balance({TOKEN: "cookie"}, (1, 2))
    with httpx.Client(trust_env=False) as http:
        url = f"{stack.url(TOKEN)}/api/public"
        first = http.get(url)
        route = f"{ROUTE_COOKIE}={first.headers[REPLICA_HEADER]}"
        assert first.headers["Set-Cookie"].split("; ") == [route, "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]
        again = [http.get(url, headers={"Cookie": f"theme=dark; {route}"}) for _ in range(3)]
        assert {each.headers[REPLICA_HEADER] for each in again} == {first.headers[REPLICA_HEADER]}
        assert not any("Set-Cookie" in each.headers for each in again)
        gone = http.get(url, headers={"Cookie": f"{ROUTE_COOKIE}={TOKEN}-3"})
        assert gone.status_code == 200
        assert gone.headers["Set-Cookie"].startswith(f"{ROUTE_COOKIE}={gone.headers[REPLICA_HEADER]};")


def test_a_replica_begins_with_what_it_is_told(stack: EmbeddedStack, observed: list[Observation]) -> None:
    stack.begin_replica(TOKEN, 1, {"AUTHBENCH_THREADS": "2"})
    environ = Path(f"/proc/{stack.running(f'{TOKEN}-1').pid}/environ").read_bytes()
    assert b"AUTHBENCH_THREADS=2\0" in environ
