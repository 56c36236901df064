"""Clients keep and forget what answers tell them to, as browsers do."""

import json

from apps.contract.credentials import Bearer, Cookies, Credential
from apps.contract.endpoints import Caller
from apps.contract.registry import strategies
from authbench.conformance.outcome import Judged
from authbench.conformance.visitor import Answer
from authbench.experiments.faults.crowd.client import Client

OK, REFUSED, FAILED = Judged("ok", "200"), Judged("refused", "401"), Judged("failed", "503")
COOKIE = "__Host-sessionid"
DELETED = (("Set-Cookie", f"{COOKIE}=; Max-Age=0; Path=/"),)


def client(credential: Credential) -> Client:
    name = "session-db" if isinstance(credential, Cookies) else "jwt-hs256"
    return Client(strategies()[name], Caller(1, "anna", ()), credential, credential)


def test_a_deleted_cookie_is_gone_and_remembered() -> None:
    begun = client(Cookies(((COOKIE, "key"), ("__Host-route", "r1"))))
    after = begun.after("whoami", Answer(200, DELETED, b""), OK)
    assert after.deleted
    assert after.told_out
    assert dict(after.headers("whoami", "x1", "https://shop"))["Cookie"] == "__Host-route=r1"
    assert dict(after.with_first_login().headers("whoami", "x1", ""))["Cookie"].startswith(f"{COOKIE}=key")


def test_an_outage_takes_nothing_away() -> None:
    after = client(Cookies(((COOKIE, "key"),))).after("whoami", Answer(503, (), b""), FAILED)
    assert not after.told_out
    assert not after.deleted


def test_a_refusal_is_remembered_though_the_token_stays() -> None:
    after = client(Bearer("token")).after("whoami", Answer(401, (), b""), REFUSED)
    assert after.told_out
    assert not after.deleted
    assert dict(after.headers("whoami", "x1", ""))["Authorization"] == "Bearer token"


def test_a_login_lets_her_in_again() -> None:
    out = client(Bearer("")).after("whoami", Answer(401, (), b""), REFUSED)
    body = json.dumps({"access_token": "new"}).encode()
    again = out.after("login", Answer(200, (), body), OK)
    assert again.returned
    assert not again.told_out
    assert dict(again.headers("whoami", "x1", ""))["Authorization"] == "Bearer new"


def test_every_request_carries_its_id_and_orders_are_named_by_it() -> None:
    asked = client(Bearer("token"))
    headers = dict(asked.headers("orders-create", "x7", "https://shop"))
    assert headers["X-Request-ID"] == "x7"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(asked.body("orders-create", "x7")) == {"item": "x7", "quantity": 1}
    assert asked.body("whoami", "x7") == b""


def test_she_knows_what_is_kept_only_where_every_answer_said_so() -> None:
    told = client(Bearer("token")).asking("preferences").after("preferences", Answer(200, (), b"{}"), OK, "x1")
    assert (told.kept, told.knows) == ("x1", True)
    assert told.asking("whoami").knows
    waiting = told.asking("preferences")
    assert not waiting.knows
    failed = waiting.after("preferences", Answer(503, (), b""), FAILED, "x2")
    # it may be carried out late, after the next one
    later = failed.asking("preferences").after("preferences", Answer(200, (), b"{}"), OK, "x3")
    assert not later.knows
    assert not told.fresh().knows
