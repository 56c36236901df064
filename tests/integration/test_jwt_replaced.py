"""The strategies with PyJWT that replace tokens or take them back: what a logout ends, and what happens at once."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
import redis

from apps.contract.endpoints import AUTHENTICATION_INFO, PROBLEM_JSON
from apps.strategies._refresh_token import parsed
from tests.integration.jwt_stack import (
    JwtStack,
    at_once,
    bearer,
    claims_in,
    enter,
    following,
    jwt_stack_up,
    token_of,
    who,
)
from tests.integration.shop_stack import (
    ShopStack,
    free_port,
    shop_stack,  # noqa: F401 - a fixture
    valkey,
)

pytestmark = pytest.mark.slow
NAMES = ["jwt-denylist", "jwt-once", "jwt-refresh"]


@pytest.fixture(scope="module")
def stack(shop_stack: ShopStack) -> Iterator[JwtStack]:  # noqa: F811
    with jwt_stack_up(shop_stack, NAMES) as stack:
        yield stack


# jwt-denylist


def test_a_logout_ends_the_token_however_it_is_written(stack: JwtStack) -> None:
    url = stack.urls["jwt-denylist"]
    token = token_of(enter(url))
    assert who(url, bearer(token + "=")) == 200  # to the library it is the same token
    assert httpx.post(f"{url}/api/logout", headers=bearer(token)).status_code == 200
    assert [who(url, bearer(text)) for text in (token, token + "=")] == [401, 401]
    token = token_of(enter(url))
    assert httpx.post(f"{url}/api/logout", headers=bearer(token + "=")).status_code == 200
    assert [who(url, bearer(text)) for text in (token, token + "=")] == [401, 401]


def test_a_token_that_was_replaced_is_taken_back(stack: JwtStack) -> None:
    url = stack.urls["jwt-denylist"]
    first = token_of(enter(url))
    second = token_of(httpx.put(f"{url}/api/preferences", json={"a": "b"}, headers=bearer(first)))
    third = token_of(httpx.post(f"{url}/api/refresh", headers=bearer(second)))
    assert [who(url, bearer(token)) for token in (first, second, third)] == [401, 401, 200]
    # The note is kept as long as the token would have been good, and not much longer.
    key = f"jwt-denylist:1:denied:{claims_in(first)['jti']}"
    with redis.Redis(port=stack.shop.cache_port) as cache:
        until_s = cache.pexpiretime(key) / 1000
    assert 1 <= until_s - claims_in(first)["exp"] < 3  # its whole seconds, one more, and the way to the cache


@pytest.mark.parametrize("change", ["refresh", "preferences"])
def test_a_denylisted_token_has_one_successor(stack: JwtStack, change: str) -> None:
    url = stack.urls["jwt-denylist"]
    headers = bearer(token_of(enter(url)))
    ask = {
        "refresh": lambda: httpx.post(f"{url}/api/refresh", headers=headers),
        "preferences": lambda: httpx.put(f"{url}/api/preferences", json={}, headers=headers),
    }[change]
    statuses = [answer.status_code for answer in at_once(20, ask)]
    assert sorted(statuses) == [200] + [401] * 19


def test_a_cache_outage_refuses_nobody_and_lets_nobody_in(stack: JwtStack) -> None:
    port = free_port()
    told = {"AUTHBENCH_CACHE_URL": f"redis://127.0.0.1:{port}/0"}
    with (
        valkey(port, stack.shop.folder) as process,
        stack.replica("jwt-denylist", "r1", **told) as denying,
        stack.replica("jwt-once", "r1", **told) as once,
    ):
        tokens = {url: token_of(enter(url)) for url in (denying, once)}
        assert who(denying, bearer(tokens[denying])) == 200
        ended, used = token_of(enter(denying)), tokens[once]
        assert httpx.post(f"{denying}/api/logout", headers=bearer(ended)).status_code == 200
        tokens[once] = following(httpx.get(f"{once}/api/whoami", headers=bearer(tokens[once])))
        process.kill()
        process.wait()
        for url, token in tokens.items():
            assert who(url, bearer(token)) == 503
            assert httpx.post(f"{url}/api/logout", headers=bearer(token)).status_code == 503
            assert httpx.get(f"{url}/healthz").json() == {"cache": "down", "database": "ok"}
        with valkey(port, stack.shop.folder):
            assert [who(url, bearer(token)) for url, token in tokens.items()] == [200, 200]
            # What an empty cache has forgotten is good again, until `exp`.
            assert (who(denying, bearer(ended)), who(once, bearer(used))) == (200, 200)


# jwt-once


def test_every_answer_brings_the_next_token_and_no_token_works_twice(stack: JwtStack) -> None:
    url = stack.urls["jwt-once"]
    token = token_of(enter(url))
    seen = [token]
    for method, path, body, status in (
        ("GET", "/api/whoami", None, 200),
        ("HEAD", "/api/whoami", None, 200),
        ("GET", "/api/orders", None, 200),
        ("POST", "/api/orders", {"item": "a", "quantity": 1}, 201),
        ("POST", "/api/orders", {"item": "", "quantity": 1}, 400),
        ("GET", "/api/reports/sales", None, 403),
        ("PUT", "/api/preferences", {"a": 1}, 400),
        ("PUT", "/api/preferences", {"a": "ü"}, 200),
        ("POST", "/api/refresh", None, 200),
        ("GET", "/api/whoami?preferences=1", None, 200),
    ):
        answer = httpx.request(method, f"{url}{path}", json=body, headers=bearer(token))
        assert answer.status_code == status
        token = following(answer)
        if method != "HEAD":
            assert answer.json().get("access_token", token) == token
        seen.append(token)
    assert answer.json()["preferences"] == {"a": "ü"}
    assert len(set(seen)) == len(seen)
    for old in seen[:-1]:
        refused = httpx.get(f"{url}/api/whoami", headers=bearer(old))
        assert refused.status_code == 401
        assert AUTHENTICATION_INFO not in refused.headers
    # A token that never came to the shop's views is not used up.
    assert httpx.get(f"{url}/api/public", headers=bearer(token)).status_code == 200
    assert httpx.delete(f"{url}/api/orders", headers=bearer(token)).status_code == 405
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.post(f"{url}/api/orders", json={}, headers=bearer(token) | elsewhere).status_code == 403

    ended = httpx.post(f"{url}/api/logout", headers=bearer(token))
    assert ended.status_code == 200
    assert AUTHENTICATION_INFO not in ended.headers
    assert who(url, bearer(token)) == who(url, bearer(token + "=")) == 401


def test_one_of_twenty_uses_at_once_wins(stack: JwtStack) -> None:
    url = stack.urls["jwt-once"]
    headers = bearer(token_of(enter(url)))
    answers = at_once(20, lambda: httpx.get(f"{url}/api/whoami", headers=headers))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    assert sum(AUTHENTICATION_INFO in answer.headers for answer in answers) == 1


def test_a_failing_answer_brings_the_next_token_too(stack: JwtStack) -> None:
    """The database goes away, and nobody has to log in again for that."""
    stack.shop.create_database("lost")
    with stack.shop.replica("jwt_once", "lost", "r2") as url:
        token = token_of(enter(url))
        stack.shop._client("dropdb", "--force", "lost")
        failed = httpx.get(f"{url}/api/orders", headers=bearer(token))
        assert failed.status_code == 503
        assert who(url, bearer(following(failed))) == 200


# jwt-refresh


def renew(url: str, token: object, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.post(f"{url}/api/refresh", json={"refresh_token": token}, headers=headers)


def test_a_refresh_token_works_once_and_again_ends_the_family(stack: JwtStack) -> None:
    url = stack.urls["jwt-refresh"]
    login = enter(url).json()
    assert (login["expires_in"], login["token_type"]) == (300, "Bearer")
    second = renew(url, login["refresh_token"])  # without an access token
    assert second.status_code == 200
    third = renew(url, second.json()["refresh_token"], bearer("expired")).json()
    assert who(url, bearer(third["access_token"])) == 200
    assert len({answer["refresh_token"] for answer in (login, second.json(), third)}) == 3

    refused = renew(url, login["refresh_token"])
    assert (refused.status_code, refused.headers["Content-Type"]) == (401, PROBLEM_JSON)
    assert renew(url, third["refresh_token"]).status_code == 401
    assert who(url, bearer(third["access_token"])) == 200  # until `exp`


def test_a_forged_refresh_token_ends_nothing(stack: JwtStack) -> None:
    url = stack.urls["jwt-refresh"]
    login = enter(url).json()
    good = login["refresh_token"]
    other = enter(url).json()["refresh_token"]
    for wrong in (good[:-8] + "AAAAAAAA", other[:27] + good[27:], "A" * 70, "x", "", None, 1, [good], {"a": good}):
        assert renew(url, wrong).status_code == 401
    for content in (b"", b"{", b"[" * 10_000, b"[]", b'"x"', b"\xff", b'{"refresh_token":"\\ud800"}', b" " * 20_000):
        sent = httpx.post(f"{url}/api/refresh", content=content, headers={"Content-Type": "application/json"})
        assert sent.status_code == 401, content[:40]
    assert httpx.post(f"{url}/api/refresh", data={"refresh_token": good}).status_code == 401
    # Neither is the other.
    assert who(url, bearer(good)) == 401
    assert renew(url, login["access_token"]).status_code == 401
    assert httpx.post(f"{url}/api/refresh", headers=bearer(login["access_token"])).status_code == 401
    assert renew(url, good).status_code == 200


def test_the_database_holds_nothing_to_log_in_with(stack: JwtStack) -> None:
    url = stack.urls["jwt-refresh"]
    token = parsed(enter(url).json()["refresh_token"])
    assert token is not None
    rows = "SELECT encode(current, 'hex') || row_to_json(f)::text FROM families_family f"
    dumped = subprocess.run(
        [sys.executable, "-c", DUMP, rows], env=stack.shop.environment("jwt_refresh"), capture_output=True, check=True
    ).stdout
    assert token.digest.hex().encode() in dumped
    assert token.secret.hex().encode() not in dumped


DUMP = """
import os, sys, psycopg
with psycopg.connect(os.environ["AUTHBENCH_DATABASE_URL"]) as connection:
    print([row[0] for row in connection.execute(sys.argv[1])])
"""


def test_a_login_is_not_refreshed_for_ever_nor_for_everybody(stack: JwtStack) -> None:
    url = stack.urls["jwt-refresh"]
    soon = enter(url).json()["refresh_token"]
    stack.sql("jwt-refresh", "UPDATE families_family SET ends = now() + interval '90 seconds'")
    shortened = renew(url, soon).json()
    assert 0 < shortened["expires_in"] <= 90
    stack.sql("jwt-refresh", "UPDATE families_family SET ends = now()")
    assert renew(url, shortened["refresh_token"]).status_code == 401

    late = enter(url, "user00002").json()["refresh_token"]
    stack.sql("jwt-refresh", "UPDATE shop_user SET is_active = false WHERE id = 2")
    assert renew(url, late).status_code == 401
    gone = enter(url, "user00003").json()
    stack.sql("jwt-refresh", "DELETE FROM shop_order WHERE user_id = 3")
    stack.sql("jwt-refresh", "DELETE FROM families_family WHERE user_id = 3; DELETE FROM shop_user WHERE id = 3")
    assert renew(url, gone["refresh_token"]).status_code == 401
    assert httpx.post(f"{url}/api/logout", headers=bearer(gone["access_token"])).status_code == 200


def test_a_logout_ends_the_family_and_preferences_outlive_a_refresh(stack: JwtStack) -> None:
    url = stack.urls["jwt-refresh"]
    login = enter(url).json()
    kept = httpx.put(f"{url}/api/preferences", json={"a": "b"}, headers=bearer(login["access_token"])).json()
    assert "refresh_token" not in kept
    renewed = renew(url, login["refresh_token"]).json()
    for token in (kept["access_token"], renewed["access_token"]):
        read = httpx.get(f"{url}/api/whoami?preferences=1", headers=bearer(token))
        assert read.json()["preferences"] == {"a": "b"}

    assert httpx.post(f"{url}/api/logout", headers=bearer(login["access_token"])).status_code == 200
    assert renew(url, renewed["refresh_token"]).status_code == 401
    assert who(url, bearer(renewed["access_token"])) == 200
    late = httpx.put(f"{url}/api/preferences", json={}, headers=bearer(renewed["access_token"]))
    assert late.status_code == 401


def test_one_of_twenty_refreshes_at_once_wins_and_ends_with_the_family(stack: JwtStack) -> None:
    """Nobody can tell a thief from a client that asked twice, so by default neither goes on."""
    url = stack.urls["jwt-refresh"]
    token = enter(url).json()["refresh_token"]
    answers = at_once(20, lambda: renew(url, token))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert renew(url, winner["refresh_token"]).status_code == 401
    assert who(url, bearer(winner["access_token"])) == 200


def test_within_the_grace_the_losers_are_refused_and_the_winner_goes_on(stack: JwtStack) -> None:
    with stack.replica("jwt-refresh", "r1", AUTHBENCH_REFRESH_GRACE_S="60") as url:
        token = enter(url).json()["refresh_token"]
        answers = at_once(20, lambda: renew(url, token))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
        second = next(answer.json()["refresh_token"] for answer in answers if answer.status_code == 200)
        third = renew(url, second).json()["refresh_token"]
        assert renew(url, second).status_code == 401  # the one before: lenient
        fourth = renew(url, third).json()["refresh_token"]
        assert renew(url, second).status_code == 401  # two before: the end
        assert renew(url, fourth).status_code == 401

        token = enter(url).json()["refresh_token"]
        second = renew(url, token).json()["refresh_token"]
        stack.sql("jwt-refresh", "UPDATE families_family SET rotated = rotated - interval '61 seconds'")
        assert renew(url, token).status_code == 401  # the one before, too late
        assert renew(url, second).status_code == 401
