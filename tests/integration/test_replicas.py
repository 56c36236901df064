"""One, three and two replicas of the same strategies on one stack: connections counted, budgets set."""

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from apps.contract.credentials import load
from apps.contract.endpoints import REPLICA_HEADER
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.again import refused_again
from authbench.conformance.verification import Minted
from authbench.deployment import Deployment
from authbench.probes.database import DatabaseProbe
from authbench.setting_up import open_sessions

pytestmark = pytest.mark.slow
NAMES = ("session-db", "jwt-hs256")
CPUS = 0.5


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    with EmbeddedStack(strategies=[strategies()[name] for name in NAMES], replicas=3) as made:
        made.seed(users=40, orders=40)
        yield made


@pytest.fixture(scope="module")
def minted(stack: EmbeddedStack) -> dict[str, Minted]:
    return open_sessions(stack, list(stack.strategies.values()), 10)


@pytest.mark.parametrize("replicas", [1, 3, 2])
def test_every_replica_holds_a_connection_of_its_own_and_a_token_asks_for_none(
    stack: EmbeddedStack, minted: dict[str, Minted], replicas: int
) -> None:
    able, why = stack.budgets
    stack.limit_replicas(CPUS if able else None)
    stack.start_replicas(deployment=Deployment(replicas=replicas))
    with closing(DatabaseProbe(stack)) as probe, httpx.Client(trust_env=False) as http:
        for name in NAMES:
            probe.before(name)
            answered = ask(http, stack, minted, name, times=replicas * 3)
            assert answered == {f"{name}-{number}": 3 for number in range(1, replicas + 1)}
            held = probe.connections()
            # One request at a time mostly meets the thread that served the last one, which keeps what it opened; one
            # that is not idle yet has a second thread do it.
            expected = {f"{name}-{number}" for number in range(1, replicas + 1)} if name == "session-db" else set()
            assert held.keys() == expected
            assert all(states.keys() == {"idle"} and 1 <= states["idle"] <= 3 for states in held.values()), held
            after = probe.after((held,))
            assert after.connections_opened == sum(states["idle"] for states in held.values())
            assert after.statements == (2 * replicas * 3 if name == "session-db" else 0)
    if able:
        quotas = [stack.running(each).group.folders[-1] / "cpu.cfs_quota_us" for each in stack.replica_names(name)]
        assert {int(each.read_text()) for each in quotas if each.is_file()} <= {-1}, why
        with stack.within_budget(name):
            assert {int(each.read_text()) for each in quotas if each.is_file()} <= {int(CPUS * 100_000)}
        assert {int(each.read_text()) for each in quotas if each.is_file()} <= {-1}


def test_replicas_that_are_deployed_otherwise_are_asked_again_in_short(
    stack: EmbeddedStack, minted: dict[str, Minted]
) -> None:
    stack.start_replicas(deployment=Deployment(replicas=2))
    contenders = list(stack.strategies.values())
    assert refused_again(stack, contenders, minted) == {}

    # Credentials of another strategy are nobody's here: what load would be sent with is looked at.
    exchanged = {"session-db": minted["session-db"], "jwt-hs256": other_secret(minted["jwt-hs256"])}
    refused = refused_again(stack, contenders, exchanged)
    assert set(refused) == {"jwt-hs256"}
    assert all("wrong answer" in problem for problem in refused["jwt-hs256"])


def ask(http: httpx.Client, stack: EmbeddedStack, minted: dict[str, Minted], name: str, times: int) -> dict[str, int]:
    """Replica -> how many of the requests, one after the other, it answered."""
    row = minted[name].unverified[0]
    headers = load(stack.strategies[name].carrier, row["credential"]).attach()
    answered: dict[str, int] = {}
    for _ in range(times):
        answer = http.get(f"{stack.url(name)}/api/whoami", headers=list(headers))
        assert answer.status_code == 200
        assert answer.json()["username"] == row["username"]
        replica = answer.headers[REPLICA_HEADER]
        answered[replica] = answered.get(replica, 0) + 1
    return dict(sorted(answered.items()))


def other_secret(minted: Minted) -> Minted:
    """The same users with a token that nobody signed."""
    rows = tuple({**row, "credential": {**row["credential"], "access_token": "a.b.c"}} for row in minted.rows)
    return Minted(rows, minted.spare)
