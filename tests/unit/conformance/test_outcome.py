"""A request ends in exactly one of four ways, and the body decides, not the status alone."""

import pytest

from apps.contract.endpoints import Caller, problem_body, to_json, whoami_body
from authbench.conformance.outcome import Silence, judge
from authbench.conformance.visitor import Answer

ANNA, BERT = Caller(1, "anna", ()), Caller(2, "bert", ())


def answer(status: int, body: bytes) -> Answer:
    return Answer(status, (), body)


def order(item: str, username: str = "anna") -> bytes:
    return to_json({"username": username, "order": {"id": 7, "item": item}})


def test_the_right_user_is_let_in() -> None:
    assert judge("whoami", ANNA, answer(200, whoami_body(ANNA))).outcome == "ok"
    assert judge("orders", ANNA, answer(200, to_json({"username": "anna", "orders": []}))).outcome == "ok"


@pytest.mark.parametrize(("endpoint", "body"), [("whoami", whoami_body(BERT)), ("orders", b'{"username":"bert"}')])
def test_a_200_for_another_user_is_no_success(endpoint: str, body: bytes) -> None:
    judged = judge(endpoint, ANNA, answer(200, body))
    assert (judged.outcome, judged.detail) == ("failed", "names another user")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_no_failure(status: int) -> None:
    assert judge("whoami", ANNA, answer(status, problem_body(status, "no"))).outcome == "refused"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 404, 302, 201])
def test_any_other_status_is_a_failure(status: int) -> None:
    assert judge("whoami", ANNA, answer(status, whoami_body(ANNA))).outcome == "failed"


@pytest.mark.parametrize(("silence", "outcome"), [("not sent", "failed"), ("no whole answer", "unknown")])
def test_what_was_sent_and_not_answered_is_unknown(silence: Silence, outcome: str) -> None:
    assert judge("orders-create", ANNA, silence).outcome == outcome


def test_an_order_is_acknowledged_by_its_own_item() -> None:
    judged = judge("orders-create", ANNA, answer(201, order("m1")), "m1")
    assert (judged.outcome, judged.order) == ("ok", 7)
    for wrong in (order("m2"), to_json({"username": "anna"}), b'"username":"anna"', order("m1", "bert")):
        judged = judge("orders-create", ANNA, answer(201, wrong), "m1")
        assert (judged.outcome, judged.order) == ("failed", None)
