"""The prepared requests: whose credentials, in which order, and what makes an answer right."""

from collections import Counter
from dataclasses import replace

from apps.contract.registry import strategies
from authbench.conformance.verification import Minted
from authbench.working_set import PREPARED, Extent
from authbench.workload import requests_of

URL = "http://127.0.0.1:8123"
BEARER, COOKIE = strategies()["jwt-hs256"], strategies()["session-db"]
MIXED = {"whoami": 6, "orders": 3, "orders-create": 1}


def users(count: int, credential=lambda number: {"access_token": f"token-{number}"}) -> list[dict]:
    return [
        {"id": n, "username": f"user{n}", "permissions": [] if n % 3 else ["view_reports"], "credential": credential(n)}
        for n in range(1, count + 1)
    ]


def tokens(requests) -> list[str]:
    return [dict(request.headers)["Authorization"].removeprefix("Bearer ") for request in requests]


def test_shares_are_exact_and_the_order_is_the_seeds():
    made = list(requests_of(users(10), BEARER, URL, MIXED, seed=3))
    assert Counter((r.method, r.path) for r in made) == {
        ("GET", "/api/whoami"): 2400,
        ("GET", "/api/orders"): 1200,
        ("POST", "/api/orders"): 400,
    }
    assert made == list(requests_of(users(10), BEARER, URL, MIXED, seed=3))
    assert made != list(requests_of(users(10), BEARER, URL, MIXED, seed=4))


def test_all_users_in_turn_or_as_many_as_the_extent_says():
    assert Counter(tokens(requests_of(users(40), BEARER, URL, {"whoami": 1}, 1))) == {
        f"token-{n}": PREPARED // 40 for n in range(1, 41)
    }
    hot = tokens(requests_of(users(40), BEARER, URL, {"whoami": 1}, 1, Extent(PREPARED, 8)))
    assert (len(hot), len(set(hot))) == (PREPARED, 8)
    unique = tokens(requests_of(users(50), BEARER, URL, {"whoami": 1}, 1, Extent(45, 45)))
    assert (len(unique), len(set(unique))) == (45, 45)


def test_an_unsafe_request_names_its_page_as_a_browser_does():
    rows = users(10, lambda n: {"cookies": {"__Host-sessionid": f"s{n}", "__Host-csrftoken": "c"}})
    for request in requests_of(rows, COOKIE, URL, MIXED, seed=3):
        headers = dict(request.headers)
        assert headers["Cookie"].endswith("; __Host-csrftoken=c")
        named = (headers.get("Origin"), headers.get("X-CSRFToken"))
        assert named == (("https://127.0.0.1:8123", "c") if request.method == "POST" else (None, None))


def test_one_time_tokens_are_marked_and_no_others():
    once = replace(BEARER, one_time=True)
    made = list(requests_of(users(10), once, URL, MIXED, seed=3))
    assert [request.rolls for request in made] == tokens(made)
    assert not any(request.rolls for request in requests_of(users(10), BEARER, URL, MIXED, seed=3))


def test_whom_verification_has_called_as_has_no_one_time_token_left():
    minted = Minted(tuple(users(9)), {})
    assert (minted.customer["id"], minted.analyst["id"]) == (1, 3)
    assert [row["id"] for row in minted.unverified] == [2, 4, 5, 6, 7, 8, 9]
    alike = Minted(tuple(row | {"permissions": []} for row in users(3)), {})
    assert [row["id"] for row in alike.unverified] == [2, 3]


def test_the_control_whose_rows_are_all_one_user_s_keeps_its_rows():
    row = {"id": 1, "username": "user00001", "permissions": [], "credential": {}}
    minted = Minted(tuple(dict(row) for _ in range(5)), {})
    assert len(minted.unverified) == 4
