"""The parts of the `serverless` experiment without a stack: its plan, events and answers, a cold start's phases."""

import base64
import json
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from apps.contract.endpoints import Caller, whoami_body
from apps.contract.registry import strategies
from authbench.conformance.visitor import Answer
from authbench.experiments.serverless.cold import cold_values, server_timing
from authbench.experiments.serverless.gateway import answer_of, whoami
from authbench.experiments.serverless.measures import MEASURES, PHASES
from authbench.experiments.serverless.plan import ServerlessPlan
from authbench.metric import METRICS
from authbench.scenario_file import PROFILES, load_scenario

ROW = {"id": 7, "username": "anna", "permissions": []}
TIMING = (
    "interpreter;dur=60.0, import;dur=300.5, django;dur=10.0, waiting;dur=2.0, connection;dur=12.0, keys;dur=0.000, "
    "request;dur=4.0, bootstrapped;dur=1000.0, before;dur=25.0"
)


def test_concurrency_ascends_from_one() -> None:
    for wrong in ((4, 8), (1, 8, 4), (1, 1, 4), ()):
        with pytest.raises(ValidationError):
            ServerlessPlan(kind="serverless", concurrency=wrong)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_scenario_s_profiles_take_the_time_that_profiles_may(profile: str) -> None:
    known = {"known_strategies": strategies().keys(), "known_metrics": METRICS.keys()}
    scenario = load_scenario("serverless", profile, **known)
    (plan,) = scenario.experiment
    assert isinstance(plan, ServerlessPlan)
    seconds = plan.estimated_seconds(len(scenario.factors.strategy), scenario.profile.launches)
    assert seconds < {"quick": 95, "standard": 19 * 60, "thorough": 3600}[profile]


def test_measures_are_named_once() -> None:
    assert len({each.name for each in MEASURES}) == len(MEASURES)


def test_an_event_carries_cookies_and_headers_where_api_gateway_has_them() -> None:
    by_cookie = whoami(strategies()["session-db"], {**ROW, "credential": {"cookies": {"a": "1", "b": "2"}}})
    event = json.loads(by_cookie.event)
    assert event["version"] == "2.0"
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert "cookie" not in event["headers"]
    assert (event["rawPath"], event["requestContext"]["http"]["method"]) == ("/api/whoami", "GET")
    assert all(name == name.lower() for name in event["headers"])
    by_token = json.loads(
        whoami(strategies()["jwt-hs256"], {**ROW, "credential": {"access_token": "x", "refresh_token": ""}}).event
    )
    assert by_token["headers"]["authorization"] == "Bearer x"
    assert "cookies" not in by_token


def test_only_the_caller_s_own_body_with_200_is_right() -> None:
    question = whoami(strategies()["none"], {**ROW, "credential": {}})
    right = whoami_body(Caller(7, "anna", ()))
    assert question.problem(Answer(200, (), right)) is None
    assert question.problem(Answer(503, (), right)) == "status 503"
    assert question.problem(Answer(200, (), whoami_body(Caller(8, "bo", ())))) == "the answer is not about the caller"


def test_an_answer_is_what_api_gateway_would_send() -> None:
    told = {"statusCode": 200, "headers": {"x-replica": "f1"}, "cookies": ["a=1", "b=2"], "body": "é"}
    answer = answer_of(json.dumps(told).encode())
    assert (answer.status, answer.replica, answer.body) == (200, "f1", "é".encode())
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]
    binary = {**told, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    assert answer_of(json.dumps(binary).encode()).body == b"\x00\xff"
    for wrong in (b"", b"null", b"{}", b'{"statusCode": 200, "headers": {}}'):
        with pytest.raises(ValueError, match="not an answer"):
            answer_of(wrong)


def test_the_phases_of_a_cold_start_add_up_and_what_did_not_happen_is_none() -> None:
    values = cold_values(served(TIMING))
    assert values["cold_start_ms"] == pytest.approx(1400 - 1000)
    assert sum(values[each.name] or 0 for each in PHASES) == pytest.approx(400)
    assert values["cold_request_ms"] == pytest.approx(400 - 60 - 300.5 - 10 - 12)
    assert values["cold_keys_ms"] is None
    assert values["cold_cpu_ms"] == pytest.approx(350 - 25)
    assert values["first_request_ms"] == 18.0


def test_an_answer_that_tells_no_cold_start_is_refused() -> None:
    with pytest.raises(ValueError, match="does not tell its cold start"):
        cold_values(served("import;dur=3.0"))
    assert server_timing("") == {}


def served(timing: str) -> SimpleNamespace:
    """A first answer at 1,400 ms of the monotonic clock, of an instance that has used 350 ms of CPU."""
    return SimpleNamespace(
        answer=Answer(200, (("server-timing", timing),), b""),
        exchange=SimpleNamespace(answered_ns=1_400_000_000),
        instance=SimpleNamespace(cpu_ns=lambda: 350_000_000),
        request_ms=18.0,
    )
