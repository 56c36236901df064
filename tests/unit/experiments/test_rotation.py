"""What a rotation promises, what replicas are told at each step, and how requests are counted."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from apps.contract.credentials import Bearer
from apps.contract.endpoints import Caller, whoami_body
from apps.contract.registry import strategies
from authbench.backends.shop import SIGNING_KEYS, Keys
from authbench.conformance.visitor import Visitor
from authbench.errors import StackError
from authbench.experiments.rotation.clients import Issuing, asked
from authbench.experiments.rotation.keys import PublishedKeys, SharedKeys
from authbench.experiments.rotation.measurement import groups_of
from authbench.experiments.rotation.plan import WAYS, RotationPlan, family_of
from authbench.experiments.rotation.rotating import Cell
from authbench.experiments.rotation.steps import ACCEPT, DROP, OLD_ONLY, SIGN, STEPS, is_promised
from authbench.experiments.rotation.timeline import Ended, Mark, Timeline, timeline
from authbench.metric import METRICS
from authbench.scenario_file import PROFILES, load_scenario

USED_BY_VERIFICATION = 8
CALLER = Caller(7, "user00007", ())
ENVIRONMENT = {"AUTHBENCH_JWT_KEY": "j" * 43, "AUTHBENCH_SECRET_KEY": "s" * 43}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scenario_holds_what_the_experiment_needs(profile: str) -> None:
    scenario = load_scenario("key-rotation", profile, known_strategies=strategies(), known_metrics=METRICS)
    (plan,) = scenario.experiment
    assert isinstance(plan, RotationPlan)
    names = scenario.factors.strategy
    assert all(family_of(strategies()[name]) for name in names)
    pages = [len(plan.page) if strategies()[name].carrier == "cookie" else 1 for name in names]
    places = 2  # that keys may come from, with `--set secrets=environment,openbao`
    used = places * len(plan.way) * max(pages) * scenario.profile.launches * plan.users
    assert used + USED_BY_VERIFICATION <= scenario.data.live_sessions


@pytest.mark.parametrize("way", WAYS)
def test_every_way_ends_with_the_new_key_alone(way: str) -> None:
    last = STEPS[way][-1]  # type: ignore[index]
    assert (last.name, last.signs, last.accepts) == ("drop", "new", ("new",))


def test_with_overlap_nobody_signs_with_a_key_that_another_replica_does_not_accept_yet() -> None:
    before = OLD_ONLY
    for step in STEPS["overlap"]:
        assert before.signs in step.accepts
        assert step.signs in before.accepts
        before = step
    assert SIGN.signs not in OLD_ONLY.accepts  # what goes wrong with "fallback"


def test_the_new_key_is_promised_always_and_the_old_one_until_its_drop_begins() -> None:
    assert is_promised("new", 9.0, 5.0)
    assert is_promised("old", 4.9, 5.0)
    assert not is_promised("old", 5.0, 5.0)
    assert is_promised("old", 9.0, None)


def test_a_replica_is_told_the_key_that_signs_and_those_that_it_accepts_besides() -> None:
    keys = SharedKeys.drawn("hs256", ENVIRONMENT)
    old, new = keys.texts["old"], keys.texts["new"]
    assert old == ENVIRONMENT["AUTHBENCH_JWT_KEY"]
    assert keys.told(OLD_ONLY) == {"AUTHBENCH_JWT_KEY": old}
    assert keys.told(ACCEPT) == {"AUTHBENCH_JWT_KEY": old, "AUTHBENCH_JWT_KEY_FALLBACKS": new}
    assert keys.told(SIGN) == {"AUTHBENCH_JWT_KEY": new, "AUTHBENCH_JWT_KEY_FALLBACKS": old}
    assert keys.told(DROP) == {"AUTHBENCH_JWT_KEY": new}
    assert set(SharedKeys.drawn("secret key", ENVIRONMENT).told(SIGN)) == {
        "AUTHBENCH_SECRET_KEY",
        "AUTHBENCH_SECRET_KEY_FALLBACKS",
    }
    assert old not in repr(keys)
    assert new not in repr(keys)


def test_keys_are_not_the_same_twice_and_one_must_be_known_to_begin_with() -> None:
    first, second = (SharedKeys.drawn("hs256", ENVIRONMENT).texts["new"] for _ in range(2))
    assert first != second
    with pytest.raises(StackError, match="AUTHBENCH_JWT_KEY"):
        SharedKeys.drawn("hs256", {})


def test_the_file_of_published_keys_holds_those_of_the_step_and_names_the_one_that_signs(tmp_path: Path) -> None:
    path = tmp_path / SIGNING_KEYS
    path.write_text(Keys().signing_keys(), encoding="utf-8")
    keys = PublishedKeys.drawn(tmp_path)
    old, new = (str(keys.jwks[key]["kid"]) for key in ("old", "new"))
    for step, signing, published in ((ACCEPT, old, {old, new}), (SIGN, new, {old, new}), (DROP, new, {new})):
        keys.write(step)
        held = json.loads(path.read_text(encoding="utf-8"))
        assert held["signing"] == signing
        assert {key["kid"] for key in held["keys"]} == published
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == [SIGNING_KEYS]
    with pytest.raises(StackError, match="no file of signing keys"):
        PublishedKeys.drawn(tmp_path / "nowhere")


def test_requests_are_counted_by_when_they_were_sent_and_whether_they_were_promised() -> None:
    ended = [
        Ended(0.0, "old", "ok"),
        Ended(0.3, "old", "refused"),  # before the drop began: wrongly
        Ended(0.6, "old", "refused"),  # after it began: as it should be
        Ended(0.6, "new", "refused"),  # never right
        Ended(0.7, "new", "ok"),
        Ended(0.7, "new", "failed"),
        Ended(0.8, "old", "unknown"),
    ]
    found = timeline(ended, [Mark("sign", 0.1, 0.2), Mark("drop", 0.5, 0.9)], 0.95)
    assert found.counts == {
        "ok old": [1, 0, 0, 0],
        "ok new": [0, 0, 1, 0],
        "refused": [0, 0, 1, 0],
        "wrongly": [0, 1, 1, 0],
        "lost": [0, 0, 1, 1],
    }
    assert Timeline.load(found.dumped()) == found


def test_nothing_is_issued_while_it_is_held_and_what_is_under_way_is_waited_for() -> None:
    issuing = Issuing()
    entered, leave, second = threading.Event(), threading.Event(), threading.Event()

    def log_in() -> None:
        with issuing:
            entered.set()
            leave.wait(5)

    def log_in_later() -> None:
        with issuing:
            second.set()

    first = threading.Thread(target=log_in)
    first.start()
    assert entered.wait(5)
    assert not issuing.hold(0.01)  # one is under way
    later = threading.Thread(target=log_in_later)
    later.start()
    leave.set()
    assert issuing.hold(5)
    assert not second.is_set()
    issuing.release()
    later.join(5)
    first.join(5)
    assert second.is_set()


def test_a_plan_knows_which_key_a_strategy_hangs_on() -> None:
    plan = RotationPlan(kind="rotation")
    assert family_of(strategies()["jwt-hs256"]) == "hs256"
    assert family_of(strategies()["session-cookie"]) == "secret key"
    assert family_of(strategies()["jwt-jwks"]) == "jwks"
    assert family_of(strategies()["none"]) is None
    assert plan.estimated_seconds(4, 2) == pytest.approx(2 * plan.estimated_seconds(4, 1))
    for wrong in ({"way": ()}, {"replicas": 1}, {"page": (3,)}, {"renewing": 1.5}):
        with pytest.raises(ValidationError):
            RotationPlan(kind="rotation", **wrong)


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Visitor:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Visitor(http, "http://127.0.0.1:1", strategies()["jwt-hs256"], Bearer("token"))


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, whoami_body(CALLER), "ok"),
        (200, whoami_body(Caller(8, "user00008", ())), "failed"),  # another user's: worse than a refusal
        (200, b"", "failed"),
        (401, b"", "refused"),
        (403, b"", "refused"),
        (503, b"", "failed"),  # an outage is no refusal
    ],
)
def test_an_answer_is_judged_by_status_and_by_whom_it_names(status: int, body: bytes, outcome: str) -> None:
    found, answer = asked(answering(lambda _: httpx.Response(status, content=body)), "whoami", CALLER)
    assert found == outcome
    assert answer is not None


def test_without_an_answer_it_is_known_or_not_whether_anything_was_sent() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing came", request=request)

    assert asked(answering(unreachable), "whoami", CALLER) == ("failed", None)
    assert asked(answering(silent), "whoami", CALLER) == ("unknown", None)


def test_a_renewal_is_right_where_it_names_the_caller_and_gives_a_credential() -> None:
    body = whoami_body(CALLER)[:-1] + b',"access_token":"next","token_type":"Bearer","expires_in":60}'
    visitor = answering(lambda _: httpx.Response(200, content=body))
    assert asked(visitor, "refresh", CALLER)[0] == "ok"
    assert visitor.credential == Bearer("next")


def test_replicas_that_were_started_together_serve_each_strategy_once() -> None:
    token, session = strategies()["jwt-hs256"], strategies()["session-db"]
    wanted = [
        Cell(token, "hs256", "overlap", 1, "environment"),
        Cell(session, "secret key", "overlap", 1, "environment"),
        Cell(session, "secret key", "overlap", 2, "environment"),
        Cell(token, "hs256", "at once", 1, "environment"),
        Cell(token, "hs256", "overlap", 1, "openbao"),
    ]
    assert [len(group) for group in groups_of(wanted)] == [2, 2, 1]
    for group in groups_of(wanted):
        assert len({cell.strategy.name for cell in group}) == len(group)
        assert len({cell.secrets for cell in group}) == 1
    assert sum(map(len, groups_of(wanted))) == len(wanted)
