"""Clients, load balancer and applications must tell the same of every request."""

import pytest

from authbench.experiments.faults.accounts import answered, disagreements, passed
from authbench.experiments.faults.crowd.outcome import Ended
from tests.unit.experiments.faults.requests import ended

OK = ended(1.0, identity="a")
REFUSED = ended(1.1, "refused", identity="b")
DOWN = ended(1.2, "failed", identity="c", detail="502")
LOST = ended(1.3, "unknown", identity="d")
NOT_SENT = ended(1.4, "failed", identity="e", detail="not sent")
ALL = [OK, REFUSED, LOST, NOT_SENT]
BALANCER = ["a 200 200", "b 401 401", "d 499 -"]
APPLICATION = ["a 200", "b 401", "d 201"]


def told(ended_: list[Ended], balancer: list[str], application: list[str]) -> list[str]:
    found = disagreements(ended_, passed(balancer), answered(application))
    assert {reason.code for reason in found} <= {"logs-disagree"}
    return [reason.message for reason in found]


def test_they_agree() -> None:
    assert told(ALL, BALANCER, APPLICATION) == []


def test_what_a_client_does_not_know_may_stand_nowhere() -> None:
    assert told([LOST], [], []) == []


def test_a_killed_replicas_answer_is_the_balancers_own() -> None:
    bad = ended(1.2, "failed", identity="c")
    assert told([bad], ["c 503 502, 503"], ["c 503"]) == []
    gone = Ended(**{**{name: getattr(DOWN, name) for name in DOWN.__slots__}, "status": 502})
    assert told([gone], ["c 502 502"], []) == []
    assert told([gone], ["c 502 502"], ["c 200"]) == []  # it had answered before it was killed


def test_the_edges_own_refusal_reaches_no_application() -> None:
    assert told([REFUSED], ["b 401 -"], []) == []


@pytest.mark.parametrize(
    ("balancer", "application", "said"),
    [
        (BALANCER[1:], APPLICATION, "an answer is not in the load balancer's log"),
        (["a 500 500", *BALANCER[1:]], APPLICATION, "the load balancer logged another status"),
        (BALANCER, APPLICATION[1:], "a right answer is not in the application's log"),
        (BALANCER, ["a 200", "d 201"], "an answer is not in the application's log"),
        ([*BALANCER, "a 200 200"], APPLICATION, "a request stands there twice"),
        (BALANCER, [*APPLICATION, "a 200"], "a request stands there twice"),
        ([*BALANCER, "e 200 200"], APPLICATION, "a request that was not sent stands there"),
        ([*BALANCER, "z 200 200"], APPLICATION, "a request that nobody sent stands there"),
    ],
)
def test_each_disagreement_is_told(balancer: list[str], application: list[str], said: str) -> None:
    (message,) = told(ALL, balancer, application)
    assert message.startswith(said)
