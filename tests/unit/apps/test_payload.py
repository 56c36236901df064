import json
import time
import zlib

import pytest

from apps.contract.endpoints import Caller
from apps.strategies import _payload
from apps.strategies._page_state import Seal, caller_of, stated
from apps.strategies._payload import payload, text
from apps.strategies._tokens import audience_of, claims_for, followed, renewed, signer_and_verifier

CALLER = Caller(10, "user00010", ("view_reports",))
SEAL = Seal("session-page", "a key of the tests")


@pytest.fixture
def laden(monkeypatch: pytest.MonkeyPatch) -> str:
    """A process that was told of 1,000 bytes; what its logins of user 10 hold."""
    monkeypatch.setattr(_payload, "BYTES", 1_000)
    return text(10, 1_000)


def claims() -> dict:
    now = int(time.time())
    return dict(claims_for(CALLER, now=now, expires=now + 60, auth_time=now))


@pytest.mark.parametrize("size", [1, 100, 6_144])
def test_a_byte_is_a_character_in_json_too(size: int) -> None:
    held = text(7, size)
    assert held.isascii()
    assert held.isprintable()
    assert len(held) == size
    assert json.dumps(held) == f'"{held}"'


def test_each_user_has_one_text_of_its_own() -> None:
    assert text(7, 50) == text(7, 50)
    assert text(7, 50) != text(8, 50)
    assert text(7, 200).startswith(text(7, 50))


def test_deflate_saves_no_more_than_it_can_of_any_ascii() -> None:
    for user in range(1, 20):
        held = text(user, 6_144).encode()
        assert 0.81 * len(held) < len(zlib.compress(held, 9)) < 0.85 * len(held)


def test_nothing_is_added_where_nothing_was_asked_for() -> None:
    assert payload(10) == {}
    assert "data" not in claims()
    assert "data" not in stated(CALLER, login=1, end=2, preferences={})


def test_a_token_s_claims_hold_it_through_every_renewal(laden: str) -> None:
    signer, verifier = signer_and_verifier("HS256", bytes(range(32)), audience_of("jwt-hs256"))
    first = claims()
    again = renewed(first, CALLER, 60)
    assert again is not None
    for held in (first, again, followed(first, {"theme": "dark"})):
        assert held["data"] == laden
        verified = verifier.verify(signer.sign(held))
        assert verified is not None
        assert verified["data"] == laden


def test_a_page_s_state_holds_it(laden: str) -> None:
    held = SEAL.verify(SEAL.issue(stated(CALLER, login=1, end=20, preferences={})), 10)
    assert held is not None
    assert held["data"] == laden
    assert caller_of(held) == CALLER


def test_a_page_s_state_holds_no_other_data_than_text() -> None:
    state = dict(stated(CALLER, login=1, end=20, preferences={}))
    assert SEAL.verify(SEAL.issue(state | {"data": "text"}), 10) is not None
    for wrong in ({"data": 1}, {"data": None}, {"data": ["text"]}, {"date": "text"}, {"data": "text", "more": "text"}):
        assert SEAL.verify(SEAL.issue(state | wrong), 10) is None
