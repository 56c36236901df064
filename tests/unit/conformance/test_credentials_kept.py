"""Refresh tokens that work once and are no access tokens, and passwords that are slow to guess."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from apps.contract.credentials import Bearer
from apps.contract.endpoints import to_json
from authbench.conformance.checks import Subject
from authbench.conformance.credentials_kept import (
    refuses_used_refresh_tokens,
    stores_passwords_slowly,
    takes_one_time_credentials_once,
)
from authbench.conformance.visitor import User, Visitor
from tests.unit.conformance.fake_shop import ANALYST, CUSTOMER, PASSWORD
from tests.unit.conformance.test_checks import strategy

SLOW = "pbkdf2_sha256$1000000$salt$hash"


class Refreshing:
    """Logs anybody in, and renews with refresh tokens; `defect` names what it does wrong."""

    def __init__(self, defect: str = "") -> None:
        self.defect = defect
        self.live: set[str] = set()
        self.used: set[str] = set()
        self.access: set[str] = set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/api/login":
            return self._answer(start, 200, self._pair())
        if path == "/api/refresh":
            return self._refresh(environ["wsgi.input"].read().decode().partition(":")[2].strip('"}'), start)
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if self.defect == "one time":  # which is what a strategy with such credentials should do
            known = token in self.access
            self.access.discard(token)
            return self._answer(start, 200 if known else 401, {})
        known = (token in self.access and self.defect != "knows nobody") or (
            self.defect == "refresh as access" and token in self.live
        )
        return self._answer(start, 200 if known else 401, {})

    def _refresh(self, token: str, start: Callable[..., Any]) -> Iterable[bytes]:
        if token in self.live or (self.defect == "used again" and token in self.used):
            self.live.discard(token)
            self.used.add(token)
            return self._answer(start, 200, self._pair())
        return self._answer(start, 401, {})

    def _pair(self) -> dict[str, str]:
        access, refresh = secrets.token_hex(8), secrets.token_hex(8)
        self.access.add(access)
        self.live.add(refresh)
        pair = {"access_token": access, "token_type": "Bearer", "refresh_token": refresh}
        return {name: value for name, value in pair.items() if self.defect != "none given" or name != "refresh_token"}

    def _answer(self, start: Callable[..., Any], status: int, body: dict[str, str]) -> Iterable[bytes]:
        start(f"{status} -", [("Content-Type", "application/json")])
        return [to_json(body)]


def subject(shop: Refreshing, *, minted: str = "a refresh token", stored: str = "") -> Subject:
    http = httpx.Client(transport=httpx.WSGITransport(app=shop))
    return Subject(
        anonymous=Visitor(http, "http://shop", strategy()),
        customer=User(CUSTOMER, PASSWORD),
        analyst=User(ANALYST, PASSWORD),
        customer_credential=Bearer("an access token", minted),
        analyst_credential=Bearer("an access token", minted),
        spare=User(ANALYST, PASSWORD),
        spare_credential=Bearer("an access token", minted),
        replicas=1,
        stored_password=stored,
    )


def test_refresh_tokens_that_work_once_pass() -> None:
    assert list(refuses_used_refresh_tokens(subject(Refreshing()))) == []


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        ("used again", "a refresh token that was used before: 200"),
        ("refresh as access", "a refresh token sent as an access token: 200"),
        ("none given", "login gave no refresh token"),
    ],
)
def test_what_is_wrong_with_refresh_tokens_is_named(defect: str, said: str) -> None:
    (problem,) = refuses_used_refresh_tokens(subject(Refreshing(defect)))
    assert said in problem


def test_a_strategy_without_refresh_tokens_is_not_asked() -> None:
    shop = Refreshing("used again")
    assert list(refuses_used_refresh_tokens(subject(shop, minted=""))) == []
    assert not shop.access


@pytest.mark.parametrize(
    ("does", "said"), [("one time", None), ("", "accepted twice"), ("knows nobody", "answered 401, then 401")]
)
def test_a_one_time_credential_is_good_once(does: str, said: str | None) -> None:
    made = subject(Refreshing(does))
    one_time = Visitor(made.anonymous._http, "http://shop", replace(made.strategy, one_time=True))
    found = list(takes_one_time_credentials_once(replace(made, anonymous=one_time)))
    assert (found == []) if said is None else (said in found[0])
    assert list(takes_one_time_credentials_once(made)) == []  # declared otherwise


@pytest.mark.parametrize("stored", ["", SLOW, "pbkdf2_sha256$600000$s$h", "argon2$argon2id$v=19$m=102400", "scrypt$x$"])
def test_a_slow_hash_passes_and_so_does_what_nobody_looked_at(stored: str) -> None:
    assert list(stores_passwords_slowly(subject(Refreshing(), stored=stored))) == []


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("md5$salt$d41d8cd98f00b204e9800998ecf8427e", "'md5'"),
        ("pbkdf2_sha256$599999$s$h", "599999 iterations, fewer than 600000"),
        ("plain text", "'plain text'"),
    ],
)
def test_a_cheap_hash_is_named_and_never_shown(stored: str, said: str) -> None:
    (problem,) = stores_passwords_slowly(subject(Refreshing(), stored=stored))
    assert said in problem
    assert "d41d8cd9" not in problem
