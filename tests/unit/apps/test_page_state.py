import re
from typing import Any

import pytest
from django.core import signing
from hypothesis import given
from hypothesis import strategies as st

from apps.contract.endpoints import Caller
from apps.strategies import _page_state
from apps.strategies._page_state import FORMAT, LONGEST_STATE, MEMBERS, Seal, caller_of, stated

KEY, NOW = "a key of the tests", 1_700_000_000
CALLER = Caller(10, "user00010", ("view_reports",))
SEAL = Seal("session-page", KEY)


def state(**changes: Any) -> dict[str, Any]:
    return dict(stated(CALLER, login=NOW, end=NOW + 60, preferences={"größe": "xl"})) | changes


def by_hand(value: Any, salt: str = f"{_page_state.__name__}:session-page", key: str = KEY) -> str:
    return signing.Signer(key=key, salt=salt, fallback_keys=[]).sign_object(value)


def test_what_was_issued_is_verified() -> None:
    text = SEAL.issue(state())

    assert SEAL.verify(text, NOW) == state()
    assert caller_of(state()) == CALLER
    assert re.fullmatch(r"[\w.:=-]+", text, re.ASCII)  # fits a header and a form's field as it is
    assert by_hand(state()) != text  # which is compressed
    assert SEAL.verify(by_hand(state()), NOW) == state()


def test_it_ends_to_the_second() -> None:
    text = SEAL.issue(state())

    assert SEAL.verify(text, NOW + 59.9) is not None
    assert SEAL.verify(text, NOW + 60) is None


def test_another_strategy_and_another_key_seal_nothing() -> None:
    text = SEAL.issue(state())

    assert Seal("session-page-b", KEY).verify(text, NOW) is None
    assert Seal("session-page", "another key").verify(text, NOW) is None
    assert SEAL.verify(by_hand(state(), salt="django.contrib.sessions.backends.signed_cookies"), NOW) is None
    assert Seal("session-page", "a new key", [KEY]).verify(text, NOW) == state()


def test_a_change_of_any_character_is_noticed() -> None:
    text = SEAL.issue(state())

    for place in range(len(text)):
        for other in {"a", "A", ":", "."} - {text[place]}:
            assert SEAL.verify(text[:place] + other + text[place + 1 :], NOW) is None
    for changed in (text[:-1], text + "a", text + "=", text[1:], f".{text}", text.partition(":")[0], f"{text}:{text}"):
        assert SEAL.verify(changed, NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"format": FORMAT + 1},
        {"format": 0},
        {"format": str(FORMAT)},
        {"format": True},
        {"id": "10"},
        {"id": 0},
        {"id": 2**63},
        {"id": 1.0},
        {"username": None},
        {"permissions": "view_reports"},
        {"permissions": [1]},
        {"login": "now"},
        {"end": None},
        {"end": float("inf")},
        {"preferences": []},
        {"preferences": {"theme": 1}},
        {"more": 1},
    ],
)
def test_other_formats_and_types_are_refused_though_signed(changes: dict[str, Any]) -> None:
    assert SEAL.verify(by_hand(state(**changes)), NOW) is None


@pytest.mark.parametrize("missing", sorted(MEMBERS))
def test_every_member_is_required(missing: str) -> None:
    held = state()
    del held[missing]

    assert SEAL.verify(by_hand(held), NOW) is None


@pytest.mark.parametrize("value", [None, 1, "text", [], {}, [[[[]]]]])
def test_signed_values_that_are_no_state_are_refused(value: Any) -> None:
    assert SEAL.verify(by_hand(value), NOW) is None


def test_signed_bytes_that_are_no_json_are_refused() -> None:
    signer = signing.Signer(key=KEY, salt=f"{_page_state.__name__}:session-page", fallback_keys=[])
    nested = signing.b64_encode(b"[" * 5000).decode()

    for text in ("", ".", ".YWJj", "YWJj", "a", "€", nested):
        assert SEAL.verify(signer.sign(text), NOW) is None


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert SEAL.verify(text, NOW) is None
    assert SEAL.verify(f"{text}:{text}", NOW) is None


@pytest.mark.parametrize("text", ["\0", "\ud800", "ü:ü", "x" * 100_000, "." + "a" * LONGEST_STATE, "::", ":"])
def test_garbage_is_refused(text: str) -> None:
    assert SEAL.verify(text, NOW) is None
