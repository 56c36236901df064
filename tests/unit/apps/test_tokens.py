import base64
import json
import time
from typing import Any

import jwt
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from apps.contract.endpoints import Caller
from apps.strategies._tokens import (
    ISSUER,
    LONGEST_TOKEN,
    REQUIRED,
    Signer,
    Verifier,
    audience_of,
    caller_of,
    claims_for,
    signer_and_verifier,
)

KEY = bytes(range(32))
AUDIENCE = audience_of("jwt-hs256")
SIGNER, VERIFIER = signer_and_verifier("HS256", KEY, AUDIENCE)
CALLER = Caller(10, "user00010", ("view_reports",))
HEADERS = {"typ": "at+jwt"}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    issued = {"iss": ISSUER, "aud": AUDIENCE}
    return issued | dict(claims_for(CALLER, now=now, expires=now + 60, auth_time=now)) | changes


def signed(changed: dict[str, Any], algorithm: str = "HS256", headers: dict[str, Any] = HEADERS) -> str:
    return jwt.encode(changed, KEY * 2, algorithm, headers=headers)


def verified(token: str) -> Any:
    return Verifier("HS256", KEY * 2, AUDIENCE).verify(token)


def test_what_was_issued_is_verified() -> None:
    held = claims(preferences={"theme": "dark"})
    assert VERIFIER.verify(SIGNER.sign(held)) == held
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
        {"aud": audience_of("jwt-row")},
        {"aud": AUDIENCE.upper()},
        {"aud": [AUDIENCE]},
        {"aud": [AUDIENCE, audience_of("jwt-row")]},
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
        {"exp": 10**11},
        {"exp": 10**400},
        {"jti": ""},
        {"jti": "a b"},
        {"jti": "\0" * 22},
        {"jti": "x" * 300},
        {"jti": "ü" * 22},
        {"nbf": "1"},
        {"iat": 1.0},
        {"auth_time": "1"},
        {"auth_time": -1},
        {"username": 1},
        {"username": ["user00001"]},
        {"username": "half of a pair: \ud800"},
        {"permissions": ["\udfff"]},
        {"preferences": {"\ud800": ""}},
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


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_no_other_algorithm_is_accepted(algorithm: str) -> None:
    assert verified(jwt.encode(claims(), KEY * 2, algorithm, headers=HEADERS)) is None


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, ["HS256"], "hs256", "HS256 ", 1])
@pytest.mark.parametrize("signature", ["", "right"])
def test_an_unsigned_token_is_refused_however_it_says_so(algorithm: Any, signature: str) -> None:
    token = by_hand(claims(), {"alg": algorithm, "typ": "at+jwt"})
    assert verified(token if signature else token.rpartition(".")[0] + ".") is None


@pytest.mark.parametrize("typ", [None, "", "JWT", "at+jwt ", "AT+JWT", "application/at+jwt", "rt+jwt", ["at+jwt"], 1])
def test_only_access_tokens_are_accepted(typ: Any) -> None:
    assert verified(by_hand(claims(), {"alg": "HS256", "typ": typ})) is None
    assert verified(by_hand(claims(), {"alg": "HS256"})) is None


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["x"], "x": 1},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"]},
        {"crit": []},
        {"crit": "b64", "b64": True},
        {"crit": [1]},
        {"crit": None},
        {"b64": False},
        {"b64": False, "crit": ["b64"]},
    ],
)
def test_extensions_that_nobody_knows_here_are_refused(more: dict[str, Any]) -> None:
    assert verified(by_hand(claims(), {"alg": "HS256", "typ": "at+jwt"} | more)) is None


def test_an_unencoded_payload_is_refused() -> None:
    """RFC 7797: the payload is not in the token, or stands there as it is."""
    payload = json.dumps(claims()).encode()
    for shown in (b"", payload):
        head = encoded(json.dumps({"alg": "HS256", "typ": "at+jwt", "b64": False, "crit": ["b64"]}).encode())
        mac = jwt.get_algorithm_by_name("HS256").sign(head + b"." + payload, KEY * 2)
        assert verified((head + b"." + shown + b"." + encoded(mac)).decode()) is None


@pytest.mark.parametrize("header", [[], "HS256", 1, None, {"alg": "HS256", "typ": "at+jwt", "kid": 1}])
def test_a_header_that_is_none_of_ours_is_refused(header: Any) -> None:
    assert verified(by_hand(claims(), header)) is None


def test_deep_nesting_is_refused() -> None:
    for raw in (b"[" * 2000, b'{"a":' * 1000):
        token = b".".join([encoded(b'{"alg":"HS256","typ":"at+jwt"}'), encoded(raw)])
        mac = jwt.get_algorithm_by_name("HS256").sign(token, KEY * 2)
        assert verified((token + b"." + encoded(mac)).decode()) is None
        assert verified((b".".join([encoded(raw), encoded(raw), b""])).decode()) is None


def test_a_token_of_one_strategy_is_for_no_other_though_the_key_is_the_same() -> None:
    names = ["jwt-hs256", "jwt-row", "jwt-cached", "jwt-denylist", "jwt-refresh", "jwt-once", "jwt-cookie"]
    pairs = {name: signer_and_verifier("HS256", KEY, audience_of(name)) for name in names}
    for issuing, (signer, _) in pairs.items():
        token = signer.sign(claims_for(CALLER, now=int(time.time()), expires=4102444800, auth_time=1))
        assert [name for name, (_, verifier) in pairs.items() if verifier.verify(token)] == [issuing]
    assert len({len(audience_of(name)) for name in names}) == 1


def test_a_token_is_valid_from_nbf_until_just_before_exp() -> None:
    issued = 4_000_000_000
    token = SIGNER.sign(claims_for(CALLER, now=issued, expires=issued + 60, auth_time=issued))
    for moment, valid in (
        (issued - 0.001, False),
        (issued, True),
        (issued + 59.999, True),
        (issued + 60, False),
        (issued + 60.001, False),
    ):
        with time_machine.travel(moment, tick=False):
            assert (VERIFIER.verify(token) is not None) is valid, moment


def test_neither_half_shows_its_key() -> None:
    for shown in (repr(SIGNER), repr(VERIFIER), str(Signer("HS256", "a secret", AUDIENCE))):
        assert "key" not in shown
        assert "secret" not in shown


def test_a_token_is_utf_8_so_that_the_longest_preferences_fit_a_cookie() -> None:
    """RFC 6265bis bounds name and value by 4,096 bytes; `read_preferences` bounds these by 1,024."""
    longest = {"ö" * number: "ü" * 42 for number in range(1, 11)}
    assert 1000 < len(json.dumps(longest, ensure_ascii=False, separators=(",", ":")).encode()) <= 1024
    token = SIGNER.sign(claims(preferences=longest, username="ü" * 150))
    assert VERIFIER.verify(token)["preferences"] == longest  # type: ignore[index]
    assert len(token) < 3000


def test_another_key_is_refused() -> None:
    assert Verifier("HS256", bytes(32), AUDIENCE).verify(SIGNER.sign(claims())) is None


def test_a_token_that_is_too_long_is_refused() -> None:
    token = signed(claims(padding="x" * LONGEST_TOKEN))
    assert verified(token) is None


@given(st.integers(min_value=0), st.characters(min_codepoint=33, max_codepoint=0x10FFFF))
def test_one_changed_character_is_refused(position: int, character: str) -> None:
    token = SIGNER.sign(claims())
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    assert changed == token or VERIFIER.verify(changed) is None


@given(st.text())
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert VERIFIER.verify(text) is None


def encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def by_hand(payload: Any, header: Any = HEADERS | {"alg": "HS256"}) -> str:
    head = encoded(json.dumps(header).encode()) + b"." + encoded(json.dumps(payload).encode())
    mac = jwt.get_algorithm_by_name("HS256").sign(head, KEY * 2)
    return (head + b"." + encoded(mac)).decode()
