import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.contract.endpoints import Caller
from apps.strategies._tokens import LONGEST_TOKEN, REQUIRED, caller_of, claims_for, issue, verify

KEY = bytes(range(32))
CALLER = Caller(10, "user00010", ("view_reports",))
HEADERS = {"typ": "at+jwt"}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return dict(claims_for(CALLER, now=now, expires=now + 60, auth_time=now)) | changes


def signed(changed: dict[str, Any], algorithm: str = "HS256", headers: dict[str, Any] = HEADERS) -> str:
    return jwt.encode(changed, KEY * 2, algorithm, headers=headers)


def verified(token: str) -> Any:
    return verify(token, KEY * 2)


def test_what_was_issued_is_verified() -> None:
    held = claims(preferences={"theme": "dark"})
    assert verify(issue(held, KEY), KEY) == held
    assert caller_of(held) == CALLER
    assert set(REQUIRED) <= set(held)


def test_no_two_tokens_are_the_same() -> None:
    now = int(time.time())
    assert len({claims_for(CALLER, now=now, expires=now, auth_time=now)["jti"] for _ in range(100)}) == 100


@pytest.mark.parametrize("missing", REQUIRED)
def test_every_claim_is_required(missing: str) -> None:
    held = claims()
    del held[missing]
    assert verified(by_hand(held)) is None
    assert verified(by_hand(claims(**{missing: None}))) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": int(time.time()) - 1},
        {"nbf": 4102444000},
        {"iat": 4102444000},
        {"aud": "another-api"},
        {"aud": ["authbench-shop-api"]},
        {"aud": ["authbench-shop-api", "another-api"]},
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "1.0"},
        {"sub": "１"},  # a digit, though not an ASCII one
        {"sub": "9" * 19},
        {"sub": ""},
        {"sub": "1 "},
        {"sub": "1\n"},
        {"exp": "4102444800"},
        {"exp": 4102444800.5},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": [4102444800]},
        {"nbf": "1"},
        {"iat": 1.0},
        {"auth_time": "1"},
        {"username": 1},
        {"username": ["user00001"]},
        {"permissions": "view_reports"},
        {"permissions": [1]},
        {"permissions": {"view_reports": True}},
        {"preferences": ["theme"]},
        {"preferences": {"theme": 1}},
    ],
)
def test_odd_claims_are_refused_though_validly_signed(changes: dict[str, Any]) -> None:
    assert verified(signed(claims(**changes))) is None


@pytest.mark.parametrize("changes", [{"iss": "another"}, {"iss": 1}, {"sub": 1}, {"jti": 1}])
def test_claims_that_pyjwt_would_not_sign_are_refused(changes: dict[str, Any]) -> None:
    """Signed by hand, since `jwt.encode` refuses some of them itself."""
    assert verified(by_hand(claims(**changes))) is None
    assert verified(by_hand(claims())) is not None


@pytest.mark.parametrize("payload", [[], "claims", 1, None])
def test_a_payload_that_is_no_object_is_refused(payload: Any) -> None:
    assert verified(by_hand(payload)) is None


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
def test_no_other_algorithm_is_accepted(algorithm: str) -> None:
    key = None if algorithm == "none" else KEY * 2
    assert verified(jwt.encode(claims(), key, algorithm, headers=HEADERS)) is None


@pytest.mark.parametrize("headers", [{}, {"typ": "JWT"}, {"typ": "at+jwt", "crit": ["x"], "x": 1}])
def test_only_access_tokens_are_accepted(headers: dict[str, Any]) -> None:
    assert verified(signed(claims(), headers=headers)) is None


def test_another_key_is_refused() -> None:
    assert verify(issue(claims(), KEY), bytes(32)) is None


def test_a_token_that_is_too_long_is_refused() -> None:
    token = signed(claims(padding="x" * LONGEST_TOKEN))
    assert verified(token) is None


@given(st.integers(min_value=0), st.characters(min_codepoint=33, max_codepoint=0x10FFFF))
def test_one_changed_character_is_refused(position: int, character: str) -> None:
    token = issue(claims(), KEY)
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    assert changed == token or verify(changed, KEY) is None


@given(st.text())
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert verify(text, KEY) is None


def by_hand(payload: Any) -> str:
    encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")  # noqa: E731
    head = encode(b'{"alg":"HS256","typ":"at+jwt"}') + b"." + encode(json.dumps(payload).encode())
    algorithm = jwt.get_algorithm_by_name("HS256")
    return (head + b"." + encode(algorithm.sign(head, KEY * 2))).decode()
