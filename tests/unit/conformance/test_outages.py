"""What an answer may not say while nobody can know: that the caller is not logged in."""

import pytest

from authbench.conformance.outages import accused
from authbench.conformance.visitor import Answer

DELETED = ("Set-Cookie", '__Host-sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/')
RENEWED = ("Set-Cookie", "__Host-sessionid=abc; Max-Age=43200; Path=/")


def answer(status: int, *headers: tuple[str, str]) -> Answer:
    return Answer(status, (("X-Replica", "session-cache-2"), *headers), b"")


@pytest.mark.parametrize("told", [answer(503), answer(500), answer(200), answer(200, RENEWED)])
def test_an_outage_told_as_one_and_an_answer_from_elsewhere_accuse_nobody(told: Answer) -> None:
    assert list(accused(told)) == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_named_with_its_replica(status: int) -> None:
    (said,) = accused(answer(status))
    assert str(status) in said
    assert "session-cache-2" in said


def test_a_deleted_cookie_is_named_whatever_the_status() -> None:
    (said,) = accused(answer(503, DELETED))
    assert "deleted the client's cookie (__Host-sessionid)" in said
    assert len(list(accused(answer(401, DELETED)))) == 2
