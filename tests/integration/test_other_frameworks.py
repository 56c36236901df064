"""Starlette and API Star against the Django shop: the same answers on the same database, header by header."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from apps.contract.endpoints import PROBLEM_JSON, Caller
from apps.contract.registry import strategies
from apps.strategies._tokens import Signer, audience_of, claims_for
from authbench.environments import interpreter_of, why_missing
from authbench.stack.replicas import Application
from tests.integration.shop_stack import (
    PASSWORD,
    ROOT,
    ShopStack,
    carried,
    free_port,
    running,
    shop_stack,  # noqa: F401 - a fixture
    until,
)

pytestmark = pytest.mark.slow
OTHERS = ("starlette-jwt", "apistar-jwt")
SAME = "jwt-hs256"
DATABASE = "frameworks"
CUSTOMER, ANALYST = "user00001", "user00010"
OF_THE_SERVER = {"server", "date", "connection", "keep-alive"}
JSON = {"Content-Type": "application/json"}
ORDER = {"item": "a", "quantity": 1}
LIFETIME_S = 900  # of a token where nothing else is said
Client = httpx.Client


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The interpreter that serves each strategy; API Star's environment is built for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        said: list[str] = []
        assert "is not built yet" in (why_missing("apistar") or "")
        apistar = str(interpreter_of("apistar", said.append))
        assert len(said) == 1
        assert why_missing("apistar") is None
        assert interpreter_of("apistar", said.append) == Path(apistar)
        assert len(said) == 1
        yield {"": sys.executable, "apistar": apistar}


def told(stack: ShopStack, name: str, database: str, **more: str) -> dict[str, str]:
    module = strategies()[name].settings.rpartition(".")[2]
    return stack.environment(module, database, AUTHBENCH_STRATEGY=name, AUTHBENCH_REPLICA="r0", **more)


def command(pythons: dict[str, str], name: str, port: int) -> tuple[str, ...]:
    """As the bench starts a replica."""
    strategy = strategies()[name]
    python = pythons[strategy.environment]
    return Application(
        name, strategy.settings, {}, serving_python=python, server=strategy.server, serves=strategy.application
    ).command(port)


@contextmanager
def served(
    stack: ShopStack, pythons: dict[str, str], name: str, database: str = DATABASE, **more: str
) -> Iterator[Client]:
    port = free_port()
    with (
        (stack.folder / f"{name}.log").open("ab") as log,
        running(list(command(pythons, name, port)), env=told(stack, name, database, **more), cwd=ROOT, stderr=log),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        until(lambda: ready(client), name)
        yield client


def ready(client: Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def tokens(stack: ShopStack, name: str, database: str = DATABASE) -> dict[str, dict[str, str]]:
    """Username -> headers, minted by the strategy's settings module."""
    module = strategies()[name].settings.rpartition(".")[2]
    out = stack.folder / f"{name}.jsonl"
    stack.manage(module, "mint", "--count", "10", "--out", str(out), database=database)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return {row["username"]: carried(row["credential"]) for row in rows}


@pytest.fixture(scope="module")
def replicas(shop_stack: ShopStack, pythons: dict[str, str]) -> Iterator[dict[str, Client]]:  # noqa: F811
    """A replica of each on one database."""
    shop_stack.create_database(DATABASE)
    with ExitStack() as stack:
        yield {name: stack.enter_context(served(shop_stack, pythons, name)) for name in (SAME, *OTHERS)}


@pytest.fixture(scope="module")
def headers(shop_stack: ShopStack, replicas: dict[str, Client]) -> dict[str, dict[str, dict[str, str]]]:  # noqa: F811
    return {name: tokens(shop_stack, name) for name in replicas}


def shown(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in OF_THE_SERVER}
    return answer.status_code, kept, answer.content


REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/api/public", {}),
    ("HEAD", "/api/public", {}),
    ("GET", "/api/public", {"headers": {"X-Forwarded-Proto": "https"}}),
    ("GET", "/api/whoami", {}),
    ("HEAD", "/api/whoami", {}),
    ("GET", "/api/whoami?preferences=1", {}),
    ("GET", "/api/whoami?preferences=1&preferences=0", {}),
    ("GET", "/api/whoami?" + "&".join("a" * 1001), {}),
    ("GET", "/api/orders", {}),
    ("GET", "/api/reports/sales", {}),
    ("POST", "/api/logout", {}),
    ("GET", "/healthz", {}),
    # addresses and methods
    ("GET", "/", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/api/whoami/", {}),
    ("GET", "/api//whoami", {}),
    ("GET", "//api/whoami", {}),
    ("GET", "/api/wh%C3%A4%00%0Aoami", {}),
    ("DELETE", "/api/orders", {}),
    ("OPTIONS", "/api/orders", {}),
    ("POST", "/api/whoami", {}),
    ("HEAD", "/api/login", {}),
    ("PUT", "/api/login", {"json": {}}),
    # bodies
    ("POST", "/api/orders", {"content": b"{", "headers": JSON}),
    ("POST", "/api/orders", {"content": b"", "headers": JSON}),
    ("POST", "/api/orders", {"content": b"[]", "headers": JSON}),
    ("POST", "/api/orders", {"content": b"[" * 10_000, "headers": JSON}),
    ("POST", "/api/orders", {"content": b"\xff", "headers": JSON}),
    ("POST", "/api/orders", {"content": b'{"item":"\\ud800","quantity":1}', "headers": JSON}),
    ("POST", "/api/orders", {"content": b" " * 20_000, "headers": JSON}),
    ("POST", "/api/orders", {"content": b" " * 20_000, "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/api/orders", {"content": b"{}", "headers": {"Content-Type": "Application/JSON ; charset=nonsense"}}),
    ("POST", "/api/orders", {"data": {"item": "a"}}),
    ("POST", "/api/orders", {}),
    ("POST", "/api/orders", {"json": ORDER | {"quantity": True}}),
    ("POST", "/api/orders", {"json": ORDER | {"item": "nul\0"}}),
    ("PUT", "/api/preferences", {"json": {"theme": 1}}),
    ("PUT", "/api/preferences", {"json": {str(i): "" for i in range(11)}}),
    ("POST", "/api/login", {"json": {"username": CUSTOMER}}),
    ("POST", "/api/login", {"json": {"username": "", "password": "x"}}),
    # credentials
    *(
        (method, path, {"headers": {"Authorization": sent, **JSON}, "content": b"{"})
        for sent in ("", "Basic dTpw", "Bearer", "Bearer x", "bearer a.b.c", "Bearer a, Bearer b")
        for method, path in (("GET", "/api/whoami"), ("POST", "/api/orders"), ("PUT", "/api/preferences"))
    ),
    # cross-origin protection, which comes before everything else
    *(
        (method, path, {"headers": sent})
        for sent in (
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none", "Origin": "http://elsewhere.example"},
            {"Origin": "http://elsewhere.example"},
            {"Origin": "null"},
            {"Origin": "http://["},
            {"Origin": "http://elsewhere.example", "Host": "elsewhere.example"},
            {"Origin": "http://localhost", "Host": "localhost"},
            {"Origin": "http://localhost:80", "Host": "LOCALHOST"},
            {"Origin": "http://a b", "Host": "a/b"},
        )
        for method, path in (
            ("POST", "/api/logout"),
            ("POST", "/nowhere"),
            ("POST", "/api/public"),
            ("GET", "/api/public"),
        )
    ),
)


@pytest.mark.parametrize("name", OTHERS)
def test_answers_are_djangos_header_by_header(name: str, replicas: dict[str, Client], headers: Any) -> None:
    for user in (CUSTOMER, ANALYST):
        for method, path, options in REQUESTS:
            ours, djangos = (
                shown(
                    replicas[which].request(
                        method, path, **{**options, "headers": {**headers[which][user], **options.get("headers", {})}}
                    )
                )
                for which in (name, SAME)
            )
            assert ours == djangos, (method, path, options)


@pytest.mark.parametrize("name", OTHERS)
def test_a_login_lives_as_in_django(name: str, replicas: dict[str, Client], shop_stack: ShopStack) -> None:  # noqa: F811
    seen: dict[str, list[Any]] = {}
    for which in (name, SAME):
        client = replicas[which]
        before = last_login(shop_stack, CUSTOMER)
        entered = client.post("/api/login", json={"username": CUSTOMER, "password": PASSWORD})
        assert last_login(shop_stack, CUSTOMER) != before
        first = bearer(entered)
        kept = client.put("/api/preferences", json={"theme": "dark", "größe": "ß" * 64}, headers=first)
        renewed = client.post("/api/refresh", headers=bearer(kept))
        latest = bearer(renewed)
        assert len({first["Authorization"], bearer(kept)["Authorization"], latest["Authorization"]}) == 3
        created = client.post("/api/orders", json={"item": "größe", "quantity": 3}, headers=latest)
        listed = client.get("/api/orders", headers=latest)
        assert listed.json()["orders"][0] == created.json()["order"]
        assert list(created.json()["order"]) == ["id", "item", "quantity", "total_cents", "created"]
        ended = client.post("/api/logout", headers=latest)
        # Only the client forgets.
        after = client.get("/api/whoami?preferences=1", headers=latest)
        wrong = client.post("/api/login", json={"username": CUSTOMER, "password": "wrong"})
        unknown = client.post("/api/login", json={"username": "nobody", "password": PASSWORD}, headers=latest)
        answers = [entered, kept, renewed, created, ended, after, wrong, unknown]
        seen[which] = [without_secrets(answer) for answer in answers]
    assert seen[name] == seen[SAME]


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def without_secrets(answer: httpx.Response) -> Any:
    """Status, headers and body; of tokens and of what the order's number and time are, only how long they are.

    A token of 900 s that is issued as a second ends has 899 left when it is told so.
    """
    status, kept, content = shown(answer)
    body = json.loads(content)
    if "access_token" in body:
        body["access_token"] = len(body["access_token"])
        assert body["expires_in"] in (LIFETIME_S - 1, LIFETIME_S)
        body["expires_in"] = LIFETIME_S
    if "order" in body:
        body["order"] |= {"id": len(str(body["order"]["id"])), "created": len(body["order"]["created"])}
    return status, kept, list(body.items())


def last_login(stack: ShopStack, username: str) -> Any:
    with connected(stack) as connection:
        return connection.execute("SELECT last_login FROM shop_user WHERE username = %s", [username]).fetchone()


def connected(stack: ShopStack, database: str = DATABASE) -> psycopg.Connection[Any]:
    url = f"postgresql://postgres@127.0.0.1:{stack.postgres_port}/{database}"
    return psycopg.connect(url, autocommit=True, application_name="the test")


def test_no_strategy_takes_the_tokens_of_another(replicas: dict[str, Client], headers: Any) -> None:
    for served_by, client in replicas.items():
        for issued_by, held in headers.items():
            status = client.get("/api/whoami", headers=held[CUSTOMER]).status_code
            assert status == (200 if served_by == issued_by else 401), (served_by, issued_by)


@pytest.mark.parametrize("name", OTHERS)
def test_users_that_changed_are_treated_as_in_django(
    name: str,
    replicas: dict[str, Client],
    headers: Any,
    shop_stack: ShopStack,  # noqa: F811
) -> None:
    gone, asleep = ("user00002", "user00003") if name == OTHERS[0] else ("user00004", "user00005")
    with connected(shop_stack) as connection:
        connection.execute(
            "DELETE FROM shop_order WHERE user_id = (SELECT id FROM shop_user WHERE username = %s)", [gone]
        )
        connection.execute("DELETE FROM shop_user WHERE username = %s", [gone])
        connection.execute("UPDATE shop_user SET is_active = false WHERE username = %s", [asleep])
    requests: list[tuple[str, str, str, dict[str, Any]]] = [
        (gone, "GET", "/api/orders", {}),
        (gone, "POST", "/api/orders", {"json": ORDER}),
        (gone, "POST", "/api/refresh", {}),
        (asleep, "GET", "/api/whoami", {}),
        (asleep, "POST", "/api/refresh", {}),
        (asleep, "POST", "/api/login", {"json": {"username": asleep, "password": PASSWORD}}),
    ]
    for user, method, path, options in requests:
        ours, djangos = (
            shown(replicas[which].request(method, path, headers=headers[which][user], **options))
            for which in (name, SAME)
        )
        assert ours == djangos, (user, path)


@pytest.mark.parametrize("name", OTHERS)
def test_garbage_is_refused_and_never_a_failure(name: str, replicas: dict[str, Client], headers: Any) -> None:
    client, good = replicas[name], headers[name][CUSTOMER]["Authorization"]
    head, claims, signature = good.removeprefix("Bearer ").split(".")
    for sent in (
        b"Bearer \xff\xfe",
        b"Bearer " + b"a" * 7000,
        b"Bearer " + b"." * 1000,
        f"Bearer {head}.{claims}.".encode(),
        f"Bearer {head}..{signature}".encode(),
        f"Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}.".encode(),
        good.encode()[:-4],
    ):
        for method, path in (("GET", "/api/whoami"), ("POST", "/api/refresh"), ("POST", "/api/logout")):
            answer = client.request(method, path, headers={b"Authorization": sent})
            assert (answer.status_code, answer.headers["Content-Type"]) == (401, PROBLEM_JSON), sent
    huge = client.get("/api/whoami", headers={"Authorization": "Bearer " + "a" * 100_000})
    # uvicorn has no limit of its own (docs/strategies/starlette-jwt.md); a long token is refused unread.
    assert huge.status_code == {"starlette-jwt": 401, "apistar-jwt": 431}[name]
    # A second header cannot hide behind a first one.
    twice = client.get("/api/whoami", headers=[("Authorization", good), ("Authorization", good)])
    assert twice.status_code in (400, 401)
    # A body without a length is read as far as it may go; Django takes it for empty.
    for which, held, size, status in (
        (name, good, 10, 201),
        (name, good, 20_000, 413),
        (SAME, headers[SAME][CUSTOMER]["Authorization"], 10, 400),
    ):
        body = json.dumps({**ORDER, "more": "a" * size}).encode()
        sent_in_pieces = replicas[which].post(
            "/api/orders", content=iter([body]), headers={"Authorization": held, **JSON}
        )
        assert sent_in_pieces.status_code == status, (which, size)
    assert client.get("/api/whoami", headers={"Authorization": good}).status_code == 200


def odd_claims(now: int) -> Iterator[dict[str, Any]]:
    """Changes to a good token's claims, each signed with the right key."""
    yield from ({name: None} for name in ("exp", "nbf", "iat", "jti", "auth_time", "sub", "username", "permissions"))
    yield from ({"exp": wrong} for wrong in (now, str(now + 60), 1e300, True))
    yield from ({"nbf": now + 60}, {"iat": now + 60}, {"aud": "somebody"}, {"iss": "somebody"})
    yield from ({"sub": wrong} for wrong in (1, "", "0", "-1", "9" * 30, "x", "1\0", ["1"]))
    yield from ({"username": 1}, {"username": "\ud800"}, {"permissions": "view_reports"}, {"permissions": [1]})
    yield from ({"preferences": wrong} for wrong in ([], {"a": 1}, "x", {}, None, {"a": "\ud800"}))
    # The login as a whole is over, though the token is not.
    yield from ({"auth_time": now - 12 * 3600 + ago} for ago in (-1, 60))


@pytest.mark.parametrize("name", OTHERS)
def test_signed_tokens_with_odd_claims_are_taken_as_in_django(name: str, replicas: dict[str, Client]) -> None:
    now = int(time.time())
    key = bytes(range(32))  # of shop_stack
    for odd in odd_claims(now):
        seen = []
        for which in (name, SAME):
            claims = claims_for(Caller(1, CUSTOMER, ()), now=now, expires=now + 600, auth_time=now) | odd
            try:
                token = Signer("HS256", key, audience_of(which)).sign(
                    {k: v for k, v in claims.items() if v is not None}
                )
            except (UnicodeEncodeError, TypeError):  # PyJWT does not sign everything
                continue
            held = {"Authorization": f"Bearer {token}"}
            seen.append([shown(replicas[which].get("/api/whoami?preferences=1", headers=held))])
            renewed = replicas[which].post("/api/refresh", headers=held)
            seen[-1].append(
                (renewed.status_code, renewed.json().get("detail"), renewed.json().get("expires_in", 0) // 10)
            )
        assert seen == [] or seen[0] == seen[1], odd
        assert all(answer[0][0] in (200, 401) for answer in seen), odd


@pytest.mark.parametrize("name", OTHERS)
def test_requests_ask_the_database_what_is_declared(
    name: str,
    replicas: dict[str, Client],
    headers: Any,
    shop_stack: ShopStack,  # noqa: F811
) -> None:
    client, held = replicas[name], headers[name][ANALYST]
    requests: dict[str, tuple[str, str, dict[str, Any]]] = {
        "whoami": ("GET", "/api/whoami", {}),
        "orders": ("GET", "/api/orders", {}),
        "orders-create": ("POST", "/api/orders", {"json": ORDER}),
        "reports-sales": ("GET", "/api/reports/sales", {}),
        "preferences": ("PUT", "/api/preferences", {"json": {"a": "b"}}),
        "refresh": ("POST", "/api/refresh", {}),
        "logout": ("POST", "/api/logout", {}),
        "login": ("POST", "/api/login", {"json": {"username": ANALYST, "password": PASSWORD}}),
        "public": ("GET", "/api/public", {}),
    }
    with connected(shop_stack, "postgres") as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        counted = {}
        for endpoint, (method, path, options) in requests.items():
            before = statements(connection)
            assert client.request(method, path, headers=held, **options).status_code in (200, 201), endpoint
            counted[endpoint] = statements(connection) - before
    declared = strategies()[name].operations
    assert counted == {endpoint: declared[endpoint].sql for endpoint in requests}
    # Every statement is a transaction of its own.
    assert all(each.sql == each.transactions for each in declared.values())


def statements(connection: psycopg.Connection[Any]) -> int:
    """Of everybody in the tests' database."""
    query = """SELECT coalesce(sum(calls), 0)::int FROM pg_stat_statements
               WHERE dbid = (SELECT oid FROM pg_database WHERE datname = %s)"""
    found = connection.execute(query, [DATABASE]).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("name", OTHERS)
def test_connections_are_named_kept_and_no_more_than_told(
    name: str,
    replicas: dict[str, Client],
    headers: Any,
    shop_stack: ShopStack,  # noqa: F811
) -> None:
    client, held = replicas[name], headers[name][ANALYST]
    with ThreadPoolExecutor(16) as many:
        answers = list(many.map(lambda _: client.get("/api/orders", headers=held).status_code, range(160)))
    assert set(answers) == {200}
    with connected(shop_stack, "postgres") as connection:
        query = "SELECT count(*), count(DISTINCT pid) FROM pg_stat_activity WHERE application_name = %s"
        found = connection.execute(query, [f"authbench:{name}:r0"]).fetchone()
    assert found is not None
    assert 1 <= found[0] <= 4


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("kept_s", ["60", "0"])
def test_a_database_outage_is_no_refusal(
    name: str,
    kept_s: str,
    pythons: dict[str, str],
    shop_stack: ShopStack,  # noqa: F811
) -> None:
    database = shop_stack.create_database("outage")
    held = tokens(shop_stack, name, database)[CUSTOMER]
    log = shop_stack.folder / f"{name}.log"
    logged = len(log.read_text(encoding="utf-8"))
    with served(shop_stack, pythons, name, database, AUTHBENCH_CONN_MAX_AGE=kept_s) as client:
        assert client.get("/api/orders", headers=held).status_code == 200
        shop_stack._client("dropdb", "--force", database)

        for _ in range(2):
            refused = client.get("/api/orders", headers=held)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert refused.headers["Content-Type"] == PROBLEM_JSON
            assert refused.json()["detail"] == "a store does not answer"
        assert client.post("/api/refresh", headers=held).status_code == 503
        health = client.get("/healthz")
        assert (health.status_code, health.json()) == (503, {"database": "down"})
        assert client.get("/api/whoami", headers=held).status_code == 200
        shop_stack.create_database(database)
        until(lambda: client.get("/api/orders", headers=held).status_code == 200, "the database")
        assert client.get("/healthz").status_code == 200
    lines = log.read_text(encoding="utf-8")[logged:].splitlines()
    assert lines
    assert all(line.startswith("Service Unavailable: /api/") for line in lines), lines


WRONG = [
    ("AUTHBENCH_JWT_KEY", "c2hvcnQ", "AUTHBENCH_JWT_KEY has 5 bytes; HS256 needs at least 32"),
    (
        "AUTHBENCH_DATABASE_URL",
        "x",
        "AUTHBENCH_DATABASE_URL is not of the form postgresql://user:password@host:port/database",
    ),
]
# API Star's number of threads is read by gunicorn before the shop is asked.
THREADS = ("AUTHBENCH_THREADS", "0", "AUTHBENCH_THREADS is '0', not a whole number of at least 1")


@pytest.mark.parametrize(
    ("name", "variable", "value", "message"),
    [*((name, *wrong) for name in OTHERS for wrong in WRONG), ("starlette-jwt", *THREADS)],
)
def test_a_wrong_configuration_stops_the_start_with_one_line(
    name: str,
    variable: str,
    value: str,
    message: str,
    pythons: dict[str, str],
    shop_stack: ShopStack,  # noqa: F811
) -> None:
    environment = told(shop_stack, name, DATABASE) | {variable: value}
    done = subprocess.run(
        command(pythons, name, free_port()), env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert f"shop: {message}" in done.stderr.splitlines()
    assert "Traceback" not in done.stderr
