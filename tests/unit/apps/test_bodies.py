import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.contract.bodies import PREFERENCES_BYTES
from apps.shop.bodies import read_login, read_order, read_preferences
from apps.shop.problems import Problem


def request(body: Any, content_type: str = "application/json") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SimpleNamespace(content_type=content_type, body=raw)


def test_lawful_bodies_are_read() -> None:
    assert read_login(request({"username": "a", "password": "b", "more": 1})) == ("a", "b")
    assert read_order(request({"item": "größe\n", "quantity": 1000})) == ("größe\n", 1000)
    assert read_preferences(request({"theme": "", "b": "c"})) == {"theme": "", "b": "c"}
    assert read_preferences(request({})) == {}


@pytest.mark.parametrize("read", [read_login, read_order, read_preferences])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'"a"', b"null", b"\xff", b"[" * 16_000, b"{'a':1}"])
def test_what_is_no_json_object_is_a_400(read: Any, body: bytes) -> None:
    with pytest.raises(Problem) as raised:
        read(request(body))
    assert raised.value.status == 400


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json-seq"])
def test_another_content_type_is_a_400(kind: str) -> None:
    with pytest.raises(Problem, match="application/json"):
        read_preferences(request({}, kind))


def test_preferences_fit_a_cookie() -> None:
    with pytest.raises(Problem, match=f"{PREFERENCES_BYTES} bytes"):
        read_preferences(request({f"name {i}": "€" * 64 for i in range(10)}))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_an_order_is_lawful_or_a_problem(value: Any) -> None:
    for body in ({"item": value, "quantity": 1}, {"item": "a", "quantity": value}):
        try:
            item, quantity = read_order(request(body))
        except Problem:
            continue
        assert 0 < len(item) <= 100
        assert "\0" not in item
        assert type(quantity) is int
        assert 0 < quantity <= 1000
