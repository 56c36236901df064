"""Keys are rotated on real replicas under load: nobody is refused who was promised otherwise, and the old key ends."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from apps.contract.credentials import load
from apps.contract.registry import strategies
from authbench.backends.embedded import EmbeddedStack
from authbench.backends.shop import SIGNING_KEYS
from authbench.conformance.checks import caller_of
from authbench.conformance.verification import Minted
from authbench.conformance.visitor import Visitor
from authbench.experiments.ground import Ground
from authbench.experiments.rotation.keys import SharedKeys
from authbench.experiments.rotation.measurement import measure
from authbench.experiments.rotation.measures import MEASURES
from authbench.experiments.rotation.plan import RotationPlan
from authbench.experiments.rotation.steps import DROP, SIGN
from authbench.experiments.rotation.timeline import Timeline
from authbench.generator import Generator
from authbench.observed import Observation
from authbench.progress import Silent

pytestmark = pytest.mark.slow
TOKEN, PUBLISHED, SESSIONS = "jwt-hs256", "jwt-jwks", "session-db"
CREDENTIALS, USERS, RENEWING = 40, 6, 4
PLAN = RotationPlan(
    kind="rotation",
    strategy=(TOKEN, PUBLISHED),
    way=("overlap",),
    users=USERS,
    renewing=RENEWING / USERS,
    before_s=0.2,
    between_s=0.2,
    settle_s=0.2,
    after_s=0.8,
    jwks_max_age_s=1,
)


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    names = (TOKEN, PUBLISHED, SESSIONS)
    with EmbeddedStack(strategies=[strategies()[name] for name in names], replicas=2) as running:
        running.seed(users=CREDENTIALS, orders=0)
        yield running


@pytest.fixture(scope="module")
def minted(stack: EmbeddedStack) -> dict[str, Minted]:
    paths = stack.mint_all(list(stack.strategies.values()), CREDENTIALS)
    return {name: Minted.read(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def observed(
    stack: EmbeddedStack, minted: dict[str, Minted], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Observation]:
    """One rotation in three steps of each key, by strategy."""
    rows: list[Observation] = []
    published_before = (stack.folder / SIGNING_KEYS).read_text(encoding="utf-8")
    with Generator(tmp_path_factory.mktemp("rotation") / "generator.log") as generator:
        ground = Ground(
            stack=stack,
            strategies=tuple(stack.strategies[name] for name in PLAN.strategy),
            minted=minted,
            generator=generator,
            launches=1,
            seed=1,
            earlier=frozenset(),
            record=rows.append,
            watcher=Silent(),
        )
        measure(ground, PLAN)
    assert '"signing"' in published_before
    assert len((stack.folder / SIGNING_KEYS).read_text(encoding="utf-8")) == len(published_before)  # one key, as before
    return {str(row.levels["strategy"]): row for row in rows}


def values(row: Observation) -> dict[str, Any]:
    return dict(row.values)


@pytest.mark.parametrize("name", PLAN.strategy)
def test_with_overlap_nobody_is_refused_who_was_promised_otherwise(observed: dict[str, Observation], name: str) -> None:
    row = observed[name]
    assert row.reasons == ()
    assert set(row.values) == {measure.name for measure in MEASURES}
    assert row.values["requests"] > 2 * USERS
    assert (row.values["wrongly_refused"], row.values["failed"], row.values["unknown"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", PLAN.strategy)
def test_those_who_renewed_stay_logged_in_and_those_who_did_not_are_refused(
    observed: dict[str, Observation], name: str
) -> None:
    seen = values(observed[name])
    assert (seen["users_renewing"], seen["logged_out_renewing"]) == (RENEWING, 0)
    assert seen["renewed"] >= RENEWING
    assert seen["users_keeping"] == USERS - RENEWING
    assert seen["logged_out_keeping"] == USERS - RENEWING
    assert seen["refused_after_drop"] >= seen["logged_out_keeping"]
    assert seen["logins"] >= 1


@pytest.mark.parametrize("name", PLAN.strategy)
def test_the_old_key_ends_at_every_replica_after_the_steps_in_their_order(
    observed: dict[str, Observation], name: str
) -> None:
    row = observed[name]
    found = Timeline.load(row.series["timeline"])
    assert [mark.step for mark in found.marks] == ["accept", "sign", "drop"]
    assert sum(sum(counts) for counts in found.counts.values()) == row.values["requests"]
    assert sum(found.counts["ok old"]) > 0
    assert sum(found.counts["ok new"]) > 0
    assert row.values["old_refused_s"] is not None
    assert found.old_refused_at_s is not None
    assert found.old_refused_at_s > found.marks[-1].began_s


def test_a_fallback_ends_the_session_of_whoever_sends_two_requests_at_once(
    stack: EmbeddedStack, minted: dict[str, Minted], observed: dict[str, Observation]
) -> None:
    """Django's own `get_user`: a session known by a former key gets another session key, and the old one is gone."""
    keys = SharedKeys.drawn("secret key", stack.application(SESSIONS).environment)
    stack.begin_replica(SESSIONS, 1, keys.told(SIGN))
    row = minted[SESSIONS].unverified[0]
    with httpx.Client(trust_env=False) as http:
        held = load("cookie", row["credential"])
        (url, *_) = stack.replica_urls(SESSIONS)
        page = [Visitor(http, url, stack.strategies[SESSIONS], held) for _ in range(2)]
        first, second = (visitor.call("whoami") for visitor in page)
        assert (first.status, second.status) == (200, 401)
        assert page[0].credential != held
        assert page[0].call("whoami").status == 200
        assert page[1].credential.attach() == ()  # and that answer has the browser drop its cookie


def test_without_a_fallback_every_session_is_refused(
    stack: EmbeddedStack, minted: dict[str, Minted], observed: dict[str, Observation]
) -> None:
    keys = SharedKeys.drawn("secret key", stack.application(SESSIONS).environment)
    stack.begin_replica(SESSIONS, 1, keys.told(DROP))
    row = minted[SESSIONS].unverified[1]
    with httpx.Client(trust_env=False) as http:
        (url, *_) = stack.replica_urls(SESSIONS)
        visitor = Visitor(http, url, stack.strategies[SESSIONS], load("cookie", row["credential"]))
        assert caller_of(dict(row)).username
        assert visitor.call("whoami").status == 401
