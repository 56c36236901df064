"""Revival without a stack: what a plan asks for, whom an event concerns, what an operation is called."""

import json
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pydantic import ValidationError

from apps.contract.credentials import Bearer, Cookies
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.visitor import Answer
from authbench.errors import StackError
from authbench.experiments.revival.clients import Clients, asked_of, outcome_of
from authbench.experiments.revival.events import concerns
from authbench.experiments.revival.held import described
from authbench.experiments.revival.logins import Logins
from authbench.experiments.revival.plan import EVENTS, RevivalPlan
from authbench.metric import METRICS
from authbench.scenario_file import PROFILES, load_scenario

NO_STACK, NO_HTTP = cast(EmbeddedStack, None), cast(httpx.Client, None)  # nothing is asked of them here


def clients(name: str, asked: str = "whoami") -> Clients:
    return Clients(NO_HTTP, NO_STACK, strategies()[name], asked)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scenario_has_logins_enough_for_its_largest_event(profile: str) -> None:
    scenario = load_scenario("revival", profile, known_strategies=strategies(), known_metrics=METRICS)
    (plan,) = scenario.experiment
    assert isinstance(plan, RevivalPlan)
    assert set(plan.event) >= set(EVENTS) - {"database crash, commits kept"}
    assert 2 * plan.users <= scenario.data.live_sessions - 2  # who log out and who do not, but for the verified two
    assert scenario.data.live_sessions < scenario.data.users


def test_more_users_interleavings_and_launches_take_longer() -> None:
    plan = RevivalPlan(kind="revival")
    assert plan.model_copy(update={"users": 80}).estimated_seconds(3, 1) > plan.estimated_seconds(3, 1)
    assert plan.model_copy(update={"times": 9}).estimated_seconds(3, 1) > plan.estimated_seconds(3, 1)
    assert plan.estimated_seconds(3, 2) == pytest.approx(2 * plan.estimated_seconds(3, 1))


@pytest.mark.parametrize("wrong", [{"event": ["power cut"]}, {"race": ["login"]}, {"users": 1}, {"times": 0}])
def test_a_plan_refuses_what_it_cannot_do(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RevivalPlan.model_validate({"kind": "revival", **wrong})


def test_a_logout_that_ends_the_refresh_token_alone_is_asked_by_it() -> None:
    both, access = Bearer("access", "refresh"), Bearer("access")
    assert asked_of(strategies()["jwt-refresh"], both) == "refresh"
    assert asked_of(strategies()["jwt-denylist"], access) == "whoami"
    assert asked_of(strategies()["session-cookie"], Cookies()) == "whoami"


@pytest.mark.parametrize(
    ("name", "asked", "events"),
    [
        ("session-db", "whoami", {"none", "database crash"}),
        ("session-cache", "whoami", {"none", "cache flush", "cache restart", "database crash"}),
        ("jwt-refresh", "refresh", {"none", "database crash"}),
        ("jwt-denylist", "whoami", {"none", "cache flush", "cache restart"}),  # the database knows no token
        ("jwt-hs256", "whoami", {"none"}),  # nothing was ended that could be undone
    ],
)
def test_events_concern_those_whose_revocation_they_may_undo(name: str, asked: str, events: set[str]) -> None:
    found = {event for event in EVENTS if concerns(event, clients(name, asked))} - {"database crash, commits kept"}
    assert found == events


@pytest.mark.parametrize(
    ("statement", "operation"),
    [
        ('SELECT "django_session"."session_key" FROM "django_session" WHERE x = 1', "SELECT django_session"),
        ('UPDATE "families_family" SET "revoked" = true', "UPDATE families_family"),
        ("INSERT INTO django_session (a) VALUES (1)", "INSERT django_session"),
        ('\n DELETE FROM "django_session" WHERE 1 IN (2)', "DELETE django_session"),
        ("BEGIN ISOLATION LEVEL", "BEGIN"),
        ("", "?"),
    ],
)
def test_a_statement_is_called_by_its_verb_and_table(statement: str, operation: str) -> None:
    assert described(statement) == operation


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "ok"), (201, "ok"), (401, "refused"), (403, "refused"), (503, "failed"), (None, "unknown")],
)
def test_an_outage_and_silence_are_no_refusal(status: int | None, outcome: str) -> None:
    assert outcome_of(None if status is None else Answer(status, (), b"")) == outcome


class Mint:
    """Stands in for a stack's management command: as many rows as asked for."""

    def __init__(self, folder: Path) -> None:
        self.batches: list[int] = []
        self._folder = folder

    def mint(self, strategy: object, count: int) -> Path:
        path = self._folder / f"minted-{len(self.batches)}.jsonl"
        path.write_text("".join(json.dumps(self.row(n, len(self.batches))) + "\n" for n in range(count)))
        self.batches.append(count)
        return path

    @staticmethod
    def row(number: int, batch: int) -> dict[str, object]:
        credential = {"access_token": f"token {batch}.{number}"}
        return {
            "id": number,
            "username": f"user{number}",
            "permissions": ["x"] * (number % 2),
            "credential": credential,
        }


def test_a_login_is_handed_out_once_and_a_batch_is_made_when_too_few_are_left(tmp_path: Path) -> None:
    mint = Mint(tmp_path)
    logins = Logins(cast(EmbeddedStack, mint), strategies()["jwt-denylist"], 9)
    taken = [login.credential for _ in range(4) for login in logins.take(3)]
    assert len(set(taken)) == 12
    assert mint.batches == [9, 9]  # of nine, two are verification's and one is the spare
    logins.discard()
    (after,) = logins.take(1)
    assert after.credential not in taken
    with pytest.raises(StackError, match="live_sessions is too few"):
        logins.take(7)
