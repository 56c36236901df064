"""When minted credentials end."""

import ast
import base64
import json

from apps.contract.credentials import Bearer, Cookies, Nothing, PageState
from authbench.expiry import SESSION_AGE_S, first_expiry, token_expiry
from authbench.stack.replicas import ROOT


def token(**claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{part}.c2ln"


def test_the_first_token_to_end_counts():
    rows = [{"credential": {"access_token": token(exp=end), "refresh_token": token(exp=1)}} for end in (300, 200, 250)]
    assert first_expiry(rows, "bearer", minted_at=10) == 200


def test_an_opaque_token_is_not_known_to_end():
    rows = [{"credential": {"access_token": "4fa8", "refresh_token": "", "token_type": "Token"}}]
    assert first_expiry(rows, "bearer", minted_at=10) is None


def test_a_session_ends_by_its_age_and_a_token_in_a_cookie_by_itself():
    opaque = {"credential": {"cookies": {"__Host-sessionid": "k3y"}}}
    signed = {"credential": {"cookies": {"__Host-sessionid": ".eJx:1abc:sig", "__Host-token": token(exp=77)}}}
    assert first_expiry([opaque], "cookie", minted_at=10) == 10 + SESSION_AGE_S
    assert first_expiry([opaque, signed], "cookie", minted_at=10) == 77


def test_cookies_that_are_no_credential_change_nothing():
    jar = {"__Host-sessionid": "k3y", "__Host-csrftoken": "0123456789abcdef", "__Host-route": "session-locmem-1"}
    assert first_expiry([{"credential": {"cookies": jar}}], "cookie", minted_at=10) == 10 + SESSION_AGE_S
    jar = {"__Host-token": token(exp=77), "__Host-csrftoken": "0123456789abcdef"}
    assert first_expiry([{"credential": {"cookies": jar}}], "cookie", minted_at=10) == 77


def test_what_a_client_dumps_can_be_asked():
    """Every kind of credential, as `mint` writes it down."""
    for carrier, credential in (
        ("bearer", Bearer(token(exp=50), "refresh", "JWT")),
        ("cookie", Cookies((("__Host-sessionid", "k3y"),))),
        ("page", PageState("signed")),
        ("none", Nothing()),
    ):
        first_expiry([{"credential": credential.dump()}], carrier, minted_at=1)


def test_state_in_the_page_ends_as_a_session_does():
    assert first_expiry([{"credential": {"state": "abc"}}], "page", minted_at=1) == 1 + SESSION_AGE_S


def test_nothing_does_not_end():
    assert first_expiry([{"credential": {}}], "none", minted_at=10) is None


def test_what_is_no_token():
    for text in ("", "a.b", "a.b.c", "a.!!.c", token(), token(exp="soon"), "x." + "W10" + ".y"):
        assert token_expiry(text) is None


def test_the_age_is_the_shops():
    """The shop's settings cannot be imported here; they are read."""
    settings = ast.parse((ROOT / "apps/shop/settings.py").read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: node.value
        for node in settings.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert eval(ast.unparse(values["SESSION_COOKIE_AGE"])) == SESSION_AGE_S
