"""Django REST framework's strategies over HTTP, with real stores: what each accepts, refuses and ends."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from apps.contract.credentials import CSRF_COOKIE, CSRF_HEADER
from apps.contract.endpoints import Caller, whoami_body
from authbench.conformance.checks import TOKEN_MEMBERS, foreign, tampered, truncated
from authbench.conformance.visitor import Answer, User
from tests.integration.drf_expected import HABITS, OVERLOOKED, STUMBLES
from tests.integration.drf_shop import ANALYST, Shop, drf_shop  # noqa: F401 - a fixture
from tests.integration.shop_stack import PASSWORD, shop_stack  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
CUSTOMER = User(Caller(1, "user00001", ()), PASSWORD)
ORDER = {"item": "a", "quantity": 1}
AT_ONCE = 20


def assert_problem(answer: Answer, status: int) -> None:
    assert (answer.status, answer.is_problem) == (status, True), answer.body
    assert bool(answer.header("WWW-Authenticate")) == (status == 401)


def test_a_login_is_known_on_every_replica(shop: Shop) -> None:
    client = shop.stranger()
    assert_problem(client.call("login", {"username": CUSTOMER.caller.username, "password": "wrong"}), 401)
    members = json.loads(client.log_in(CUSTOMER).body)
    assert {name: members[name] for name in members if name not in TOKEN_MEMBERS} == {
        "id": 1,
        "username": "user00001",
        "permissions": [],
    }
    for holder in (client, shop.client(1)):
        for replica in (holder, shop.elsewhere(holder)):
            assert replica.call("whoami").body == whoami_body(CUSTOMER.caller)


def test_every_endpoint_answers_its_contract(shop: Shop) -> None:
    client, analyst = shop.client(2), shop.client(ANALYST)
    order = json.loads(client.call("orders-create", ORDER).body)["order"]
    assert json.loads(shop.elsewhere(client).call("orders").body)["orders"][0] == order
    assert_problem(client.call("orders-create", {"item": "", "quantity": 1}), 400)
    assert_problem(client.call("reports-sales"), 403)
    assert analyst.call("reports-sales").status == 200
    assert shop.elsewhere(client).call("preferences", {"größe": "xl"}).status == 200
    kept = client.call("whoami", query="?preferences=1")
    assert json.loads(kept.body)["preferences"] == {"größe": "xl"}


def test_a_wrong_credential_is_refused(shop: Shop) -> None:
    stranger, credential = shop.stranger(), shop.client(2).credential
    for change in (truncated, tampered, foreign):
        assert_problem(stranger.as_bearer_of(credential.altered(change)).call("whoami"), 401)
    for endpoint in ("whoami", "orders", "refresh", "logout"):
        assert_problem(stranger.call(endpoint), 401)
    scheme = str(shop.minted[0].get("token_type", "Bearer")).encode()
    for garbage in (b"\xff\xfe", b"\xc3\xa9", b"a" * 4000, b"..", b"a.b.c", b"e30.e30.", b"[" * 1000, b"null", b'"'):
        headers = {
            b"Cookie": b"__Host-sessionid=%s; __Host-csrftoken=%s" % (garbage, garbage),
            b"Authorization": b"%s %s" % (scheme, garbage),
            b"Content-Type": b"application/json",
        }
        body = json.dumps({"refresh_token": garbage.decode("latin-1")})
        for answer in (
            httpx.get(f"{shop.urls[0]}/api/whoami", headers=headers),
            httpx.post(f"{shop.urls[0]}/api/refresh", headers=headers, content=body),
        ):
            assert answer.status_code == 401, (garbage, answer.text)


def test_a_refresh_gives_a_credential_that_works(shop: Shop) -> None:
    client = shop.client(3)
    before = shop.elsewhere(client)
    assert client.call("refresh").status == 200
    assert client.credential != before.credential
    assert shop.elsewhere(client).call("whoami").status == 200
    assert before.call("whoami").status == shop.expected.refresh
    assert before.call("refresh").status == shop.expected.refresh_of_ended


@pytest.mark.parametrize("shop", ["drf-token", "drf-knox", "drf-simplejwt"], indirect=True)
def test_of_requests_that_renew_at_once_one_wins(shop: Shop) -> None:
    clients = [shop.client(4) if i % 2 else shop.elsewhere(shop.client(4)) for i in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = sorted(threads.map(lambda client: client.call("refresh").status, clients))
    assert statuses == [200] + [401] * (AT_ONCE - 1)


def test_a_logout_ends_what_the_declaration_says(shop: Shop) -> None:
    client = shop.stranger()
    other = shop.client(1)
    client.log_in(CUSTOMER)
    ended = shop.elsewhere(client)
    assert json.loads(client.call("logout").body) == {"username": "user00001", "logged_out": True}
    assert ended.call("whoami").status == shop.expected.logout == (401 if shop.strategy.revocable else 200)
    assert ended.call("refresh").status == shop.expected.refresh_of_ended
    assert other.call("whoami").status == shop.expected.logout_elsewhere


def test_freshness_is_what_the_declaration_says(shop: Shop) -> None:
    renamed, granted, changed, gone = (shop.client(user_id) for user_id in (5, 6, 7, 8))
    shop.tell_database("UPDATE shop_user SET username = 'renamed' WHERE id = 5")
    shop.tell_database("UPDATE shop_user SET granted = '{view_reports}' WHERE id = 6")
    shop.tell_database("UPDATE shop_user SET password = 'pbkdf2_sha256$1$a$b' WHERE id = 7")
    shop.tell_database("UPDATE shop_user SET is_active = false WHERE id = 8")

    assert granted.call("reports-sales").status == shop.expected.grant
    assert changed.call("whoami").status == shop.expected.new_password
    assert gone.call("whoami").status == shop.expected.deactivation
    assert_problem(gone.call("refresh"), 401)
    # drf-jwt's tokens name the user by the username that the row had.
    assert renamed.call("whoami").status == (401 if shop.strategy.name == "drf-jwt" else 200)
    assert granted.call("refresh").status == 200
    assert granted.call("reports-sales").status == 200


@pytest.mark.parametrize("shop", ["drf-simplejwt-stateless"], indirect=True)
def test_a_token_of_a_user_that_is_gone_writes_nothing(shop: Shop) -> None:
    client = shop.client(4)
    for table in ("token_blacklist_outstandingtoken", "shop_order"):
        shop.tell_database(f"DELETE FROM {table} WHERE user_id = 4")
    shop.tell_database("DELETE FROM shop_user WHERE id = 4")
    assert client.call("whoami").status == 200
    assert_problem(client.call("orders-create", ORDER), 401)
    assert_problem(client.call("preferences", {"theme": "dark"}), 401)
    assert_problem(client.call("refresh"), 401)


@pytest.mark.parametrize("shop", STUMBLES, indirect=True)
def test_odd_credentials_are_refused_though_the_package_stumbles(shop: Shop) -> None:
    found = shop.told_by("tests.integration.drf_oddities")
    stumbles = {case: package for case, (package, _) in found.items() if package not in ("accepted", "refused")}
    assert stumbles == STUMBLES[shop.strategy.name]
    assert {says for _, says in found.values()} <= {"accepted", "refused"}
    assert {found[case][1] for case in stumbles} == {"refused"}
    accepted = {case for case, (_, says) in found.items() if says == "accepted"}
    assert OVERLOOKED[shop.strategy.name] <= accepted
    assert accepted.isdisjoint({"aud of another strategy", "iss another", "alg none", "exp null"})
    assert ("renewing: orig_iat long ago" in accepted) == ("simplejwt" in shop.strategy.name)
    assert ("scheme in lower case" in accepted) == ("simplejwt" not in shop.strategy.name)


@pytest.mark.parametrize("shop", ["drf-session"], indirect=True)
def test_unsafe_requests_need_the_csrf_token(shop: Shop) -> None:
    client = shop.client(9)
    jar = dict(client.credential.dump()["cookies"])
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    token, origin = {CSRF_HEADER: jar[CSRF_COOKIE]}, {"Origin": shop.urls[0].replace("http:", "https:")}
    for headers, status in (
        (cookies | token | origin, 201),
        (cookies | origin, 403),
        (cookies | origin | {CSRF_HEADER: "a" * 32}, 403),
        (cookies | origin | {CSRF_HEADER: "short"}, 403),
        (cookies | token, 403),  # over TLS a browser names the origin, or the page in Referer
        (cookies | token | {"Origin": shop.urls[0]}, 403),  # the scheme is part of it
        (cookies | token | {"Origin": "https://elsewhere.example"}, 403),
        (token | origin, 401),
        ({"Cookie": f"__Host-sessionid={jar['__Host-sessionid']}"} | token | origin, 403),
    ):
        answer = shop.http.post(f"{shop.urls[0]}/api/orders", json=ORDER, headers=headers)
        assert answer.status_code == status, (headers, answer.text)
        assert answer.headers["Content-Type"] == ("application/json" if status == 201 else "application/problem+json")
    assert shop.http.get(f"{shop.urls[0]}/api/whoami", headers=cookies).status_code == 200
    form = {"content": f"csrfmiddlewaretoken={jar[CSRF_COOKIE]}", "headers": cookies | origin}
    form["headers"]["Content-Type"] = "application/x-www-form-urlencoded"
    assert shop.http.post(f"{shop.urls[0]}/api/orders", **form).status_code == 403  # the shop takes no forms


@pytest.mark.parametrize("shop", ["drf-session"], indirect=True)
def test_a_login_sets_both_cookies_anew(shop: Shop) -> None:
    planted = shop.client(2)
    answer = planted.log_in(User(Caller(2, "user00002", ()), PASSWORD))
    held = {
        value.partition("=")[0]: set(value.split("; ")[1:]) for name, value in answer.headers if name == "set-cookie"
    }
    shared = {"Secure", "Path=/", "SameSite=Lax", "Max-Age=43200"}
    assert shared <= held["__Host-sessionid"]
    assert shared <= held[CSRF_COOKIE]
    assert ("HttpOnly" in held["__Host-sessionid"], "HttpOnly" in held[CSRF_COOKIE]) == (True, False)
    assert planted.credential.dump()["cookies"][CSRF_COOKIE] != shop.client(2).credential.dump()["cookies"][CSRF_COOKIE]


@pytest.mark.parametrize("shop", HABITS, indirect=True)
def test_packages_do_by_themselves_what_their_pages_say(shop: Shop) -> None:
    assert shop.told_by("tests.integration.drf_habits") == HABITS[shop.strategy.name]


@pytest.mark.parametrize("shop", ["drf-token", "drf-knox", "drf-simplejwt"], indirect=True)
def test_foreign_keys_of_packages_are_checked_at_once(shop: Shop) -> None:
    """A check at COMMIT would be counted like a statement of the shop."""
    address = {"host": "127.0.0.1", "port": shop.stack.postgres_port, "user": "postgres", "dbname": shop.module}
    with psycopg.connect(**address) as database:
        keys = database.execute("SELECT condeferrable FROM pg_constraint WHERE contype = 'f'").fetchall()
    assert set(keys) == {(False,)}


def test_a_database_outage_is_no_refusal(shop: Shop) -> None:
    """The last one: it drops the database."""
    client = shop.client(9)
    assert client.call("whoami").status == 200
    shop.stack._client("dropdb", "--force", shop.module)
    assert client.call("whoami").status == shop.expected.outage
    for endpoint in ("orders", "refresh"):
        assert_problem(client.call(endpoint), 503)
