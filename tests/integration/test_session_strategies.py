"""Logins in a signed cookie and in one process's memory: what each holds, and what it cannot do."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.shop_stack import PASSWORD, ROOT, ShopStack, carried, shop_stack  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
CUSTOMER = "user00001"
COOKIE_LIMIT = 4096  # bytes of name and value that every browser takes (RFC 6265bis, 5.6)
DEACTIVATE = "UPDATE shop_user SET is_active = false WHERE id IN (1, 2)"
NEW_PASSWORD = "UPDATE shop_user SET password = 'pbkdf2_sha256$1$a$b' WHERE id = 1"


@pytest.fixture(autouse=True)
def stack(shop_stack: ShopStack) -> ShopStack:  # noqa: F811
    return shop_stack


def minted(stack: ShopStack, module: str, count: int, **more: str) -> list[dict[str, Any]]:
    """What clients of the first users hold."""
    out = stack.folder / f"{module}.jsonl"
    stack.manage(module, "mint", "--count", str(count), "--out", str(out), **more)
    return [json.loads(line)["credential"] for line in out.read_text(encoding="utf-8").splitlines()]


def log_in(url: str) -> httpx.Response:
    return httpx.post(f"{url}/api/login", json={"username": CUSTOMER, "password": PASSWORD})


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    return carried({"cookies": dict(answer.cookies)})


def who(url: str, headers: dict[str, str], query: str = "") -> httpx.Response:
    return httpx.get(f"{url}/api/whoami{query}", headers=headers)


def told(command: list[str], environment: dict[str, str]) -> list[str]:
    """Lines of standard error of a command that must fail."""
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


# session-cookie


def test_a_signed_cookie_reads_the_row_and_cannot_be_taken_back(stack: ShopStack) -> None:
    database = stack.create_database("session_cookie")
    with stack.replica("session_cookie", database) as url:
        entered = log_in(url)
        protections = set(entered.headers["Set-Cookie"].split("; "))
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax", "Max-Age=43200"} <= protections
        first = cookies_of(entered)
        kept = httpx.put(f"{url}/api/preferences", headers=first, json={"theme": "dark"})
        second = cookies_of(kept)
        assert who(url, second, "?preferences=1").json()["preferences"] == {"theme": "dark"}

        left = httpx.post(f"{url}/api/logout", headers=second)
        assert "Max-Age=0" in left.headers["Set-Cookie"]
        # A copy of the cookie goes on, and so does an older one, with what was preferred then.
        assert who(url, second).status_code == 200
        assert who(url, first, "?preferences=1").json()["preferences"] == {}

        stack._client("psql", "-c", NEW_PASSWORD, database)
        assert who(url, second).status_code == 401
        other = carried(minted(stack, "session_cookie", 2)[1])
        assert who(url, other).status_code == 200
        stack._client("psql", "-c", DEACTIVATE, database)
        assert who(url, other).status_code == 401
        assert httpx.post(f"{url}/api/refresh", headers=other).status_code == 401
        for garbage in ("a", ":", "a:b:c", ".a:b:c", first["Cookie"][17:-1], "x" * 7000):
            assert who(url, {"Cookie": f"__Host-sessionid={garbage}"}).status_code == 401


SIZES = """
import json, random, string
from apps.shop.models import User
from apps.strategies._authenticator import authenticator
drawn = random.Random(4)
text = lambda length: "".join(drawn.choices(string.ascii_letters, k=length))
session = authenticator()._stored(User.objects.get(username="user00001"))
sizes, held = [], {}
while len(held) < 60:
    session["preferences"] = held
    session.save()
    sizes.append(len("__Host-sessionid=" + session.session_key))
    held[text(32)] = text(64)
print(json.dumps(sizes))
"""


def test_the_sizes_of_a_signed_cookie_are_what_its_page_says(stack: ShopStack) -> None:
    """By number of preferences as large as the rules let them be, of random letters."""
    database = stack.create_database("session_cookie")

    sizes = json.loads(stack.manage("session_cookie", "shell", "--no-imports", "-c", SIZES, database=database))

    page = (ROOT / "docs" / "strategies" / "session-cookie.md").read_text(encoding="utf-8")
    written = {int(n): int(size) for n, size in re.findall(r"^\| (\d+) \| (\d+) \|$", page, re.MULTILINE)}
    assert set(written) == {0, 1, 5, 10}
    # What zlib makes of it differs between its builds.
    assert list(written.values()) == pytest.approx([sizes[number] for number in written], abs=12)
    assert sizes[10] < COOKIE_LIMIT
    too_large = next(number for number, size in enumerate(sizes) if size > COOKIE_LIMIT)
    assert f"{too_large} such preferences" in page


# session-locmem


@pytest.fixture(scope="module")
def locmem_database(shop_stack: ShopStack) -> str:  # noqa: F811
    return shop_stack.create_database("session_locmem")


def test_a_login_in_memory_is_known_to_one_replica_until_it_ends(
    stack: ShopStack, locmem_database: str, tmp_path: Path
) -> None:
    folder = {"AUTHBENCH_SESSION_DIR": str(tmp_path)}
    given = minted(stack, "session_locmem", 4, **folder)
    assert [each["cookies"]["__Host-route"] for each in given] == ["session-locmem-1", "session-locmem-2"] * 2
    file = tmp_path / "minted.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    minted(stack, "session_locmem", 1, **folder, AUTHBENCH_REPLICAS="3")  # those of the first run stay
    database = locmem_database

    def replica(number: int) -> Any:
        return stack.replica("session_locmem", database, f"session-locmem-{number}", **folder)

    with replica(2) as second:
        with replica(1) as first:
            for number, each in enumerate(given):
                mine, other = (second, first) if number % 2 else (first, second)
                assert who(mine, carried(each)).json()["username"] == f"user{number + 1:05}"
                assert who(other, carried(each)).status_code == 401

            entered = log_in(first)
            route = next(c for c in entered.headers.get_list("Set-Cookie") if c.startswith("__Host-route="))
            assert {"__Host-route=session-locmem-1", "HttpOnly", "Secure", "Path=/", "SameSite=Lax"} <= set(
                route.split("; ")
            )
            assert "Max-Age=43200" in route
            held = cookies_of(entered)
            assert who(first, held).status_code == 200
            refused = who(second, held)
            assert refused.status_code == 401
            # Worse: that answer has the browser forget the cookie that the first replica knows.
            assert all("Max-Age=0" in each for each in refused.headers.get_list("Set-Cookie"))
            assert len(refused.headers.get_list("Set-Cookie")) == 2
            assert who(first, held).status_code == 200

            key = entered.cookies["__Host-sessionid"]
            for wrong in ("session-locmem-2", "session-locmem-9", "", "..%2F", '"', "x" * 4000):
                assert who(first, {"Cookie": f"__Host-sessionid={key}; __Host-route={wrong}"}).status_code == 200

            kept = httpx.put(f"{first}/api/preferences", headers=held, json={"theme": "dark"})
            assert kept.cookies["__Host-route"] == "session-locmem-1"
            renewed = httpx.post(f"{first}/api/refresh", headers=held)
            assert who(first, held).status_code == 401
            held = cookies_of(renewed)
            assert who(first, held, "?preferences=1").json()["preferences"] == {"theme": "dark"}
            left = httpx.post(f"{first}/api/logout", headers=held)
            ended = left.headers.get_list("Set-Cookie")
            assert {each.partition("=")[0] for each in ended} == {"__Host-sessionid", "__Host-route"}
            assert all("Max-Age=0" in each and "Secure" in each for each in ended)
            assert who(first, held).status_code == 401
            held = cookies_of(log_in(first))
            assert httpx.post(f"{first}/api/logout", headers=carried(given[0])).status_code == 200
        with replica(1) as first:  # the same name, another process
            assert who(first, held).status_code == 401
            assert who(first, carried(given[2])).status_code == 200
            assert who(first, carried(given[0])).status_code == 200  # ended before, and minted again
            for garbage in ("a" * 7000, "A" * 32, "é" * 32, "a" * 41):
                assert who(first, {"Cookie": f"__Host-sessionid={garbage}".encode()}).status_code == 401
    # One replica alone takes the others' share too; the load balancer sends their routes to it.
    with stack.replica("session_locmem", database, "session-locmem-1", **folder, AUTHBENCH_REPLICAS="1") as only:
        assert [who(only, carried(each)).status_code for each in given] == [200] * 4
    log = (stack.folder / "session_locmem-session-locmem-1.log").read_text(encoding="utf-8")
    assert "CacheKeyWarning" not in log


def test_a_replica_with_two_processes_or_a_damaged_file_does_not_start(
    stack: ShopStack, locmem_database: str, tmp_path: Path
) -> None:
    more = {"AUTHBENCH_SESSION_DIR": str(tmp_path), "AUTHBENCH_REPLICA": "session-locmem-1"}
    environment = stack.environment("session_locmem", locmem_database, **more)
    serve = [sys.executable, "-c", "import apps.shop.wsgi"]  # as each of gunicorn's workers does

    assert told(serve, {**environment, "AUTHBENCH_WORKERS": "2"}) == [
        "shop: AUTHBENCH_WORKERS is 2: session-locmem keeps sessions in one process's memory, so a replica has one; "
        "start more replicas instead"
    ]
    for damage in ('{"session_key": "a"}', "{", "[]", '{"place": 0, "session_key": "a", "data": 1, "expires": 1}'):
        (tmp_path / "minted.jsonl").write_text(damage, encoding="utf-8")
        (line,) = told(serve, environment)
        assert line.startswith(f"shop: {tmp_path}/minted.jsonl is not what mint writes")


BOUND = """
import json
from django.core.cache import cache
from django.conf import settings
from apps.strategies.engines.locmem import SessionStore
bound = cache._max_entries, cache._cull_frequency
cache._max_entries, cache._cull_frequency = 300, 100
keys = [f"{number:032}" for number in range(301)]
for key in keys[:300]:
    SessionStore.adopt(key, {"user": key}, 3600)
SessionStore(keys[0])["user"]
SessionStore.adopt(keys[300], {"user": keys[300]}, 3600)
lost = [number for number, key in enumerate(keys) if SessionStore(key).get("user") is None]
SessionStore.adopt("e" * 32, {"user": 1}, 0)
print(json.dumps([bound, lost, SessionStore("e" * 32).get("user")]))
"""


def test_at_its_bound_the_memory_forgets_those_unused_for_longest(stack: ShopStack, locmem_database: str) -> None:
    seen = stack.manage("session_locmem", "shell", "--no-imports", "-c", BOUND, database=locmem_database)

    assert json.loads(seen) == [[100_000, 1000], [1, 2, 3], None]
