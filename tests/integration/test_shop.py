"""Replicas of each strategy over HTTP, with real stores: the same answers, clear errors, outages told from refusals."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from apps.contract.endpoints import ENDPOINTS, PROBLEM_JSON
from apps.contract.registry import strategies
from tests.integration.shop_stack import (
    PASSWORD,
    ROOT,
    ShopStack,
    carried,
    free_port,
    shop_stack,  # noqa: F401 - a fixture
    until,
    valkey,
)

pytestmark = pytest.mark.slow
ANALYST, CUSTOMER = "user00010", "user00001"
# One of each authenticator of the shop's own; `authbench verify` compares all strategies' bodies, through the balancer.
MODULES = {
    name: name.replace("-", "_")
    for name in (
        *("none", "session-db", "session-db-claims", "session-cache", "session-cached-db", "session-file"),
        *(
            "session-cache-claims",
            "session-cookie",
            "session-cookie-claims",
            "session-page",
            "jwt-hs256",
            "jwt-row",
            "jwt-cookie",
        ),
    )
}
TOKEN_MEMBERS = {"access_token", "token_type", "expires_in", "state"}


@pytest.fixture(autouse=True)
def stack(shop_stack: ShopStack) -> ShopStack:  # noqa: F811
    return shop_stack


def minted(stack: ShopStack, module: str, database: str, count: int = 10, **more: str) -> list[dict[str, str]]:
    """Headers of the first users' credentials."""
    out = stack.folder / f"{module}.jsonl"
    stack.manage(module, "mint", "--count", str(count), "--out", str(out), database=database, **more)
    return [carried(json.loads(line)["credential"]) for line in out.read_text(encoding="utf-8").splitlines()]


def log_in(url: str, username: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.post(f"{url}/api/login", json={"username": username, "password": PASSWORD}, headers=headers)


def credential_of(answer: httpx.Response) -> dict[str, str]:
    if "access_token" in answer.json():
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}
    if "state" in answer.json():
        return {"X-Page-State": answer.json()["state"]}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in answer.cookies.items())}


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM_JSON), answer.text
    assert answer.json()["status"] == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Replica" in answer.headers
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_answers_are_the_same_to_the_byte_for_every_strategy(stack: ShopStack) -> None:
    """Logged in at one replica, answered by another."""
    bodies: dict[str, list[bytes]] = {}
    for name, module in MODULES.items():
        database = stack.create_database(module)
        with (
            stack.replica(module, database, "r0") as first,
            stack.replica(module, database, "r1") as another,
            httpx.Client(base_url=first if strategies()[name].sticky else another) as other,
        ):
            second = str(other.base_url).rstrip("/")
            entered = log_in(first, CUSTOMER)
            headers = credential_of(entered)
            other.headers.update(headers)
            login = {member: value for member, value in entered.json().items() if member not in TOKEN_MEMBERS}
            answers = [other.get("/api/whoami"), other.get("/api/orders"), other.get("/api/public")]
            bodies[name] = [json.dumps(login).encode(), *(answer.content for answer in answers)]
            assert {answer.headers["X-Replica"] for answer in answers} == {"r1" if second == another else "r0"}
            assert answers[0].content == b'{"id":1,"username":"user00001","permissions":[]}'
            assert_problem(other.get("/api/reports/sales"), 403)
            if name == "none":
                assert_problem(other.put("/api/preferences", json={"theme": "dark"}), 409)
                continue
            analyst = credential_of(log_in(first, ANALYST))
            bodies[name].append(httpx.get(f"{second}/api/reports/sales", headers=analyst).content)

            kept = other.put("/api/preferences", json={"theme": "dark", "größe": "xl"})
            assert kept.json()["preferences"] == {"theme": "dark", "größe": "xl"}
            replaced = credential_of(kept) if TOKEN_MEMBERS & kept.json().keys() or kept.cookies else headers
            read = httpx.get(f"{first}/api/whoami?preferences=1", headers=replaced)
            assert read.json()["preferences"] == {"theme": "dark", "größe": "xl"}

            renewed = httpx.post(f"{first}/api/refresh", headers=replaced)
            assert renewed.json()["username"] == CUSTOMER
            latest = credential_of(renewed)
            # Signed twice within one second, the same content is the same cookie.
            assert latest != replaced or strategies()[name].location in ("cookie", "page")
            # What no store holds, no store can take back: the old credential goes on, with the old preferences.
            old = [httpx.get(f"{first}/api/whoami?preferences=1", headers=held) for held in (headers, replaced)]
            revocable = strategies()[name].revocable
            assert [answer.status_code for answer in old] == ([401, 401] if revocable else [200, 200]), name
            assert revocable or old[0].json()["preferences"] == {}
            assert httpx.get(f"{second}/api/whoami", headers=latest).content == answers[0].content
            assert httpx.post(f"{second}/api/logout", headers=latest).json() == {
                "username": CUSTOMER,
                "logged_out": True,
            }
            after = httpx.get(f"{first}/api/whoami", headers=latest)
            assert after.status_code == (401 if strategies()[name].revocable else 200), name
    controls = {tuple(body[:4]) for body in bodies.values()}
    assert len(controls) == 1, controls
    assert len({body[4] for name, body in bodies.items() if name != "none"}) == 1


@pytest.fixture
def jwt_replica(stack: ShopStack) -> Iterator[httpx.Client]:
    database = stack.create_database("jwt_hs256")
    headers = minted(stack, "jwt_hs256", database)[0]
    with stack.replica("jwt_hs256", database) as url, httpx.Client(base_url=url, headers=headers) as client:
        yield client


def test_every_error_is_a_problem_document(jwt_replica: httpx.Client) -> None:
    json_type = {"Content-Type": "application/json"}
    order = {"item": "a", "quantity": 1}
    for method, path, options, status in (
        ("GET", "/nowhere", {}, 404),
        ("GET", "/api/whoami/", {}, 404),
        ("DELETE", "/api/orders", {}, 405),
        ("POST", "/api/whoami", {}, 405),
        ("POST", "/api/orders", {"content": b"{", "headers": json_type}, 400),
        ("POST", "/api/orders", {"content": b"[" * 10_000, "headers": json_type}, 400),
        ("POST", "/api/orders", {"content": b"\xff", "headers": json_type}, 400),
        ("POST", "/api/orders", {"content": b'{"item":"a","quantity":1}'}, 400),
        ("POST", "/api/orders", {"json": [order]}, 400),
        ("POST", "/api/orders", {"json": order | {"quantity": True}}, 400),
        ("POST", "/api/orders", {"json": order | {"quantity": 1001}}, 400),
        ("POST", "/api/orders", {"json": order | {"item": "a" * 101}}, 400),
        ("POST", "/api/orders", {"json": order | {"item": "nul\0"}}, 400),
        ("POST", "/api/orders", {"content": b'{"item":"\\ud800","quantity":1}', "headers": json_type}, 400),
        ("POST", "/api/orders", {"content": b" " * 20_000, "headers": json_type}, 413),
        ("PUT", "/api/preferences", {"json": {"theme": 1}}, 400),
        ("PUT", "/api/preferences", {"json": {str(i): "" for i in range(11)}}, 400),
        ("POST", "/api/login", {"data": {"username": "a", "password": "b"}}, 400),
        ("POST", "/api/login", {"json": {"username": CUSTOMER}}, 400),
        ("POST", "/api/login", {"json": {"username": CUSTOMER, "password": "wrong"}}, 401),
        ("POST", "/api/login", {"json": {"username": "nobody", "password": "wrong"}}, 401),
        ("GET", "/api/whoami", {"headers": {"Authorization": ""}}, 401),
        ("GET", "/api/whoami", {"headers": {"Authorization": "Basic dTpw"}}, 401),
        ("GET", "/api/whoami", {"headers": {"Authorization": "Bearer x"}}, 401),
        ("GET", "/api/reports/sales", {}, 403),
    ):
        assert_problem(jwt_replica.request(method, path, **options), status)
    assert jwt_replica.request("DELETE", "/api/orders").headers["Allow"] == "GET, HEAD, POST"
    refused = jwt_replica.get("/api/whoami", headers={"Authorization": "Bearer x"})
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="shop", error="invalid_token"'


def test_cross_origin_requests_are_refused(jwt_replica: httpx.Client) -> None:
    order = {"item": "a", "quantity": 1}
    host = jwt_replica.base_url.netloc.decode()
    for headers, status in (
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": f"http://{host}"}, 403),
        ({"Origin": f"http://{host}"}, 201),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ):
        assert jwt_replica.post("/api/orders", json=order, headers=headers).status_code == status, headers
    assert jwt_replica.get("/api/whoami", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_session_cookies_have_every_protection(stack: ShopStack) -> None:
    database = stack.create_database("session_db")
    with stack.replica("session_db", database) as url:
        planted = minted(stack, "session_db", database)[9]
        answer = log_in(url, CUSTOMER, planted)

        name, _, value = answer.headers["Set-Cookie"].partition("=")
        assert name == "__Host-sessionid"
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax", "Max-Age=43200"} <= set(value.split("; "))
        assert "Domain" not in value
        # The key that came with the login belonged to another user and is worth nothing now.
        assert credential_of(answer) != planted
        assert httpx.get(f"{url}/api/whoami", headers=planted).status_code == 401

        gone = httpx.post(f"{url}/api/logout", headers=credential_of(answer))
        assert "Max-Age=0" in gone.headers["Set-Cookie"]


def test_freshness_is_what_the_declaration_says(stack: ShopStack) -> None:
    """A deactivated user: rows notice at once, claims at the next refresh."""
    deactivate = f"UPDATE shop_user SET is_active = false WHERE username = '{CUSTOMER}'"
    for name in ("session-db", "session-cache-claims", "session-cookie-claims", "jwt-hs256", "jwt-row"):
        module = MODULES[name]
        database = stack.create_database(module)
        headers = minted(stack, module, database)[0]
        with stack.replica(module, database) as url:
            assert httpx.get(f"{url}/api/whoami", headers=headers).status_code == 200
            stack._client("psql", "-c", deactivate, database)
            seen = httpx.get(f"{url}/api/whoami", headers=headers).status_code
            assert seen == (401 if strategies()[name].freshness == "row" else 200), name
            assert_problem(httpx.post(f"{url}/api/refresh", headers=headers), 401)


def test_a_token_of_a_user_that_is_gone_writes_nothing(stack: ShopStack) -> None:
    database = stack.create_database("jwt_hs256")
    headers = minted(stack, "jwt_hs256", database)[0]
    with stack.replica("jwt_hs256", database) as url:
        for statement in ("DELETE FROM shop_order WHERE user_id = 1", "DELETE FROM shop_user WHERE id = 1"):
            stack._client("psql", "-c", statement, database)
        assert httpx.get(f"{url}/api/orders", headers=headers).json() == {"username": CUSTOMER, "orders": []}
        assert_problem(httpx.post(f"{url}/api/orders", headers=headers, json={"item": "a", "quantity": 1}), 401)


def test_a_new_password_ends_sessions_that_read_the_row(stack: ShopStack) -> None:
    change = f"UPDATE shop_user SET password = 'pbkdf2_sha256$1$a$b' WHERE username = '{CUSTOMER}'"
    for name in ("session-db", "session-db-claims", "jwt-row"):
        module = MODULES[name]
        database = stack.create_database(module)
        headers = minted(stack, module, database)[0]
        with stack.replica(module, database) as url:
            stack._client("psql", "-c", change, database)
            status = httpx.get(f"{url}/api/whoami", headers=headers).status_code
            assert status == (401 if name == "session-db" else 200), name


def test_a_cache_outage_is_no_refusal(stack: ShopStack) -> None:
    database = stack.create_database("session_cache")
    port = free_port()
    elsewhere = {"AUTHBENCH_CACHE_URL": f"redis://127.0.0.1:{port}/0"}
    with valkey(port, stack.folder) as process:
        headers = minted(stack, "session_cache", database, **elsewhere)[0]
        both = minted(stack, "session_cached_db", database, **elsewhere)[0]
        with (
            stack.replica("session_cache", database, **elsewhere) as url,
            stack.replica("session_cached_db", database, **elsewhere) as cached,
        ):
            assert httpx.get(f"{url}/api/whoami", headers=headers).status_code == 200
            process.kill()
            process.wait()

            assert_problem(httpx.get(f"{url}/api/whoami", headers=headers), 503)
            assert_problem(httpx.put(f"{url}/api/preferences", headers=headers, json={}), 503)
            health = httpx.get(f"{url}/healthz")
            assert (health.status_code, health.json()) == (503, {"cache": "down", "database": "ok"})
            assert httpx.get(f"{url}/api/public").status_code == 200
            # The database holds these too.
            assert httpx.get(f"{cached}/api/whoami", headers=both).status_code == 200
            assert_problem(httpx.post(f"{cached}/api/logout", headers=both), 503)

            with valkey(port, stack.folder):
                assert_problem(httpx.get(f"{url}/api/whoami", headers=headers), 401)  # it has forgotten everything
    log = (stack.folder / "session_cache-r0.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "Service Unavailable: /api/whoami (ConnectionError)" in log


def test_a_database_outage_is_no_refusal(stack: ShopStack) -> None:
    database = stack.create_database("session_db")
    headers = minted(stack, "session_db", database)[0]
    token = minted(stack, "jwt_hs256", database)[0]
    with stack.replica("session_db", database) as url, stack.replica("jwt_hs256", database) as stateless:
        assert httpx.get(f"{url}/api/whoami", headers=headers).status_code == 200
        stack._client("dropdb", "--force", database)

        assert_problem(httpx.get(f"{url}/api/whoami", headers=headers), 503)
        assert httpx.get(f"{url}/healthz").json() == {"database": "down"}
        assert httpx.get(f"{stateless}/api/whoami", headers=token).status_code == 200
        assert_problem(httpx.get(f"{stateless}/api/orders", headers=token), 503)
        # It comes back empty: each thread finds its connection broken once, then opens another.
        stack.create_database(database)
        until(lambda: httpx.get(f"{url}/api/whoami", headers=headers).status_code == 401, "the database")


def test_a_session_folder_that_is_gone_is_no_refusal(stack: ShopStack, tmp_path: Path) -> None:
    database = stack.create_database("session_file")
    folder = tmp_path / "sessions"
    folder.mkdir()
    headers = minted(stack, "session_file", database, AUTHBENCH_SESSION_DIR=str(folder))[0]
    with stack.replica("session_file", database, AUTHBENCH_SESSION_DIR=str(folder)) as url:
        assert httpx.get(f"{url}/api/whoami", headers=headers).status_code == 200
        assert_problem(httpx.get(f"{url}/api/whoami", headers={"Cookie": "__Host-sessionid=../../etc/passwd"}), 401)
        folder.rename(tmp_path / "elsewhere")
        assert_problem(httpx.get(f"{url}/api/whoami", headers=headers), 503)
        assert httpx.get(f"{url}/healthz").json() == {"database": "ok", "file": "down"}


def test_a_token_works_after_logout_until_it_expires(stack: ShopStack) -> None:
    database = stack.create_database("jwt_hs256")
    with stack.replica("jwt_hs256", database, AUTHBENCH_JWT_LIFETIME_S="3") as url:
        answer = log_in(url, CUSTOMER)
        headers = credential_of(answer)
        assert answer.json()["expires_in"] == 3
        assert httpx.post(f"{url}/api/logout", headers=headers).status_code == 200
        assert httpx.get(f"{url}/api/whoami", headers=headers).status_code == 200
        until(lambda: httpx.get(f"{url}/api/whoami", headers=headers).status_code == 401, "the end of the token")
        # A token in a cookie or a query is no token.
        token = log_in(url, CUSTOMER).json()["access_token"]
        assert httpx.get(f"{url}/api/whoami?access_token={token}").status_code == 401


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AUTHBENCH_JWT_KEY", "", "set AUTHBENCH_JWT_KEY, or AUTHBENCH_JWT_KEY_FILE to a file that holds it"),
        ("AUTHBENCH_JWT_KEY", "c2hvcnQ", "AUTHBENCH_JWT_KEY has 5 bytes; HS256 needs at least 32"),
        ("AUTHBENCH_SECRET_KEY", "", "set AUTHBENCH_SECRET_KEY, or AUTHBENCH_SECRET_KEY_FILE to a file that holds it"),
        (
            "AUTHBENCH_JWT_KEY_FALLBACKS",
            "c2hvcnQ",
            "AUTHBENCH_JWT_KEY_FALLBACKS has 5 bytes; HS256 needs at least 32",
        ),
        (
            "AUTHBENCH_SECRET_KEY_FALLBACKS",
            "too-brief",
            "AUTHBENCH_SECRET_KEY_FALLBACKS holds one of 9 bytes; each needs at least 32",
        ),
    ],
)
def test_a_wrong_configuration_stops_the_start_with_one_line(
    stack: ShopStack, variable: str, value: str, message: str
) -> None:
    environment = stack.environment("jwt_hs256", **{variable: value})
    for command in (
        [sys.executable, "-m", "apps.shop.manage", "check"],
        [sys.executable, "-m", "gunicorn", "-c", "apps/shop/gunicorn.conf.py", "apps.shop.wsgi"],
    ):
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert f"shop: {message}" in done.stderr.splitlines()
        assert "Traceback" not in done.stderr
        assert not value or value not in done.stderr


def test_commands_refuse_what_they_should(stack: ShopStack) -> None:
    database = stack.create_database("session_db")
    out = stack.folder / "few.jsonl"
    minted(stack, "session_db", database)
    assert stat.S_IMODE((stack.folder / "session_db.jsonl").stat().st_mode) == 0o600
    for arguments, message in (
        (("seed",), "the database already has users"),
        (("mint", "--count", "41", "--out", str(out)), "the database has 40 of these users"),
    ):
        with pytest.raises(AssertionError, match=message):
            stack.manage("session_db", *arguments, database=database)
    assert not out.exists()


GRANTED = """
import json
from django.contrib.auth.models import Group, Permission
from apps.shop.models import User
analysts, user = Group.objects.get(name="analysts"), User.objects.get(username="user00001")
permission = Permission.objects.get(codename="view_reports")
seen = []
def look(act):
    act(); fresh = User.objects.get(pk=user.pk); seen.append([fresh.granted, fresh.has_perm("shop.view_reports")])
look(lambda: None)
look(lambda: user.groups.add(analysts))
look(lambda: analysts.permissions.remove(permission))
look(lambda: permission.group_set.add(analysts))
look(lambda: analysts.user_set.remove(user))
look(lambda: user.user_permissions.add(permission))
look(lambda: user.user_permissions.clear())
look(lambda: permission.user_set.add(user))
look(lambda: permission.user_set.clear())
look(lambda: user.groups.set([analysts]))
look(lambda: analysts.user_set.clear())
look(lambda: analysts.user_set.add(user))
look(lambda: analysts.permissions.clear())
look(lambda: analysts.permissions.set([permission]))
look(lambda: analysts.delete())
look(lambda: user.user_permissions.add(permission))
look(lambda: permission.delete())
print(json.dumps(seen))
"""


def test_granted_follows_groups_and_permissions(stack: ShopStack) -> None:
    database = stack.create_database("session_db")
    seen = json.loads(stack.manage("session_db", "shell", "--no-imports", "-c", GRANTED, database=database))
    has = [
        False,
        True,
        False,
        True,
        False,
        True,
        False,
        True,
        False,
        True,
        False,
        True,
        False,
        True,
        False,
        True,
        False,
    ]
    assert seen == [[["view_reports"] if yes else [], yes] for yes in has]


def test_answers_to_secure_requests_demand_security(jwt_replica: httpx.Client) -> None:
    assert "Strict-Transport-Security" not in jwt_replica.get("/api/public").headers
    secure = jwt_replica.get("/api/public", headers={"X-Forwarded-Proto": "https"})
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_contract_names_every_address(jwt_replica: httpx.Client) -> None:
    for endpoint in ENDPOINTS.values():
        assert jwt_replica.request(endpoint.method, endpoint.path).status_code != 404
