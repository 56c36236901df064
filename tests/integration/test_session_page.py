"""A login in the page: state that goes back and forth, the page of forms around it, and what it cannot do."""

import random
import re
import string
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.signing import Signer

from apps.contract.endpoints import Caller
from apps.strategies import _page_state
from apps.strategies._page_state import Seal, stated
from tests.integration.shop_stack import PASSWORD, ROOT, ShopStack, shop_stack  # noqa: F401 - a fixture
from tests.integration.test_session_strategies import CUSTOMER, DEACTIVATE, log_in, who

pytestmark = pytest.mark.slow
HOURS = 3600
DRAWN = random.Random(4)
# The largest preferences of the rules, of random letters.
LARGEST = {
    "".join(DRAWN.choices(string.ascii_letters, k=32)): "".join(DRAWN.choices(string.ascii_letters, k=64))
    for _ in range(10)
}
STATE = re.compile(r'name="state" value="([^"]+)"')


@pytest.fixture(autouse=True)
def stack(shop_stack: ShopStack) -> ShopStack:  # noqa: F811
    return shop_stack


@pytest.fixture(scope="module")
def page_replica(shop_stack: ShopStack) -> Iterator[str]:  # noqa: F811
    with shop_stack.replica("session_page", shop_stack.create_database("session_page")) as url:
        yield url


def sealed(stack: ShopStack, **changes: Any) -> str:
    """A state as the replicas sign it, with other members."""
    now = int(time.time())
    plain = stated(Caller(1, CUSTOMER, ()), login=now, end=now + 60, preferences={})
    signer = Signer(key=secret(stack), salt=f"{_page_state.__name__}:session-page", fallback_keys=[])
    return signer.sign_object(dict(plain) | changes)


def secret(stack: ShopStack) -> str:
    return stack.environment("session_page")["AUTHBENCH_SECRET_KEY"]


def in_header(state: str) -> dict[str, str]:
    return {"X-Page-State": state}


def test_state_goes_back_and_forth_and_nothing_ends_it(stack: ShopStack, page_replica: str) -> None:
    entered = log_in(page_replica)
    assert not entered.cookies
    first = entered.json()["state"]
    answer = who(page_replica, in_header(first))
    assert (answer.status_code, answer.headers["Vary"]) == (200, "X-Page-State")
    assert answer.content == b'{"id":1,"username":"user00001","permissions":[]}'

    kept = httpx.put(f"{page_replica}/api/preferences", headers=in_header(first), json=LARGEST).json()
    assert kept["preferences"] == LARGEST
    second = kept["state"]
    renewed = httpx.post(f"{page_replica}/api/refresh", headers=in_header(second)).json()["state"]
    assert who(page_replica, in_header(renewed), "?preferences=1").json()["preferences"] == LARGEST
    page = (ROOT / "docs" / "strategies" / "session-page.md").read_text(encoding="utf-8")
    written = [int(found) for found in re.findall(r"(\d+) bytes", page)]
    sizes = [len(f"X-Page-State: {state}\r\n") for state in (first, second)]
    assert written == pytest.approx(sizes, abs=12)  # what zlib makes of it differs between its builds

    left = httpx.post(f"{page_replica}/api/logout", headers=in_header(renewed))
    assert left.json() == {"username": CUSTOMER, "logged_out": True}
    for old in (first, second, renewed):
        assert who(page_replica, in_header(old)).status_code == 200
    assert who(page_replica, in_header(first), "?preferences=1").json()["preferences"] == {}


def test_a_form_may_carry_the_state_and_an_address_may_not(page_replica: str) -> None:
    state = log_in(page_replica).json()["state"]
    refresh = f"{page_replica}/api/refresh"

    assert httpx.post(refresh, data={"state": state}).json()["username"] == CUSTOMER
    assert httpx.post(refresh, data={"state": state}, headers=in_header("a:b")).status_code == 401
    assert httpx.post(refresh, data={"state": "a:b"}, headers=in_header(state)).status_code == 200
    assert httpx.post(f"{refresh}?state={state}").status_code == 401
    assert httpx.post(refresh, json={"state": state}).status_code == 401
    assert httpx.post(refresh, files={"state": state}).status_code == 401
    assert httpx.post(refresh, cookies={"state": state}).status_code == 401
    refused = httpx.get(f"{page_replica}/api/whoami?state={state}")
    assert (refused.status_code, refused.headers["Vary"]) == (401, "X-Page-State")
    assert refused.headers["WWW-Authenticate"] == 'PageState realm="shop", header="X-Page-State"'
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content, status in ((b"state=%00%ff", 401), (b"state=%ed%a0%80", 401), (b"state=" + b"x" * 20_000, 413)):
        assert httpx.post(refresh, content=content, headers=form).status_code == status
    utf16 = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}
    assert httpx.post(refresh, content=b"state=a", headers=utf16).status_code == 400


def test_old_other_and_forged_states_are_refused(stack: ShopStack, page_replica: str) -> None:
    now = int(time.time())
    tampered = sealed(stack)[:-1]
    foreign = Seal("session-cookie", secret(stack)).issue(
        stated(Caller(1, CUSTOMER, ()), login=now, end=now + 9, preferences={})
    )
    assert who(page_replica, in_header(sealed(stack))).status_code == 200
    for state in (
        tampered,
        foreign,
        sealed(stack, end=now - 1),
        sealed(stack, format=2),
        sealed(stack, id="1"),
        sealed(stack, preferences={"theme": {}}),
        "a",
        ":",
        "ü",
        "." + "x" * 6000,
    ):
        refused = who(page_replica, {"X-Page-State": state.encode()})  # type: ignore[dict-item]
        assert refused.status_code == 401, state[:40]
        shown = httpx.post(f"{page_replica}/page", data={"do": "order", "item": "a", "quantity": "1", "state": state})
        assert (shown.status_code, "Log in again" in shown.text, STATE.search(shown.text)) == (401, True, None)


def test_no_renewal_outlives_the_longest_login(stack: ShopStack, page_replica: str) -> None:
    now = int(time.time())
    seal = Seal("session-page", secret(stack))
    young, old = now - HOURS, now - 12 * HOURS + 100

    def ends_after(state: str, action: str, **body: Any) -> float:
        method = "PUT" if body else "POST"
        answer = httpx.request(method, f"{page_replica}/api/{action}", headers=in_header(state), **body)
        verified = seal.verify(answer.json()["state"], now)
        assert verified is not None
        return float(verified["end"])

    assert ends_after(sealed(stack, login=young), "refresh") == young + 12 * HOURS
    assert ends_after(sealed(stack, login=old), "refresh") == old + 12 * HOURS
    assert ends_after(sealed(stack, login=old), "preferences", json={"theme": "dark"}) == pytest.approx(now + 60, abs=5)
    beyond = httpx.post(f"{page_replica}/api/refresh", headers=in_header(sealed(stack, login=now - 12 * HOURS)))
    assert beyond.status_code == 401


def act(url: str, state: str, do: str, **fields: str) -> httpx.Response:
    return httpx.post(f"{url}/page", data={"do": do, "state": state, **fields})


def state_of(page: httpx.Response) -> str:
    """The one state of a page's forms."""
    assert page.status_code == 200, page.text
    (state,) = set(STATE.findall(page.text))
    assert len(STATE.findall(page.text)) == 3
    return str(state)


def test_the_page_logs_in_orders_and_keeps_preferences(page_replica: str) -> None:
    form = httpx.get(f"{page_replica}/page")
    assert form.status_code == 200
    assert 'name="password"' in form.text
    assert STATE.search(form.text) is None
    entered = act(page_replica, "", "login", username=CUSTOMER, password=PASSWORD)
    for answer in (form, entered):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Set-Cookie" not in answer.headers
    state = state_of(entered)
    assert who(page_replica, in_header(state)).status_code == 200

    hostile = "<script>alert('1')</script>"
    ordered = act(page_replica, state, "order", item=hostile, quantity="3")
    assert "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;<td>3<td>1497" in ordered.text
    assert "<script" not in ordered.text
    changed = act(page_replica, state_of(ordered), "prefer", name="<b>", value='"')
    assert "<dt>&lt;b&gt;<dd>&quot;" in changed.text
    both = act(page_replica, state_of(changed), "prefer", name="größe", value="")
    read = who(page_replica, in_header(state_of(both)), "?preferences=1").json()["preferences"]
    assert read == {"<b>": '"', "größe": ""}

    left = act(page_replica, state_of(both), "logout")
    assert (left.status_code, STATE.search(left.text)) == (200, None)
    # What the page forgets, its copies keep: the same form sent once more is a second order, after a logout.
    orders = f"{page_replica}/api/orders"
    before = httpx.get(orders, headers=in_header(state)).json()["orders"]
    again = act(page_replica, state, "order", item=hostile, quantity="3")
    assert "<dt>" not in again.text  # and the preferences are those of the old page
    after = httpx.get(orders, headers=in_header(state)).json()["orders"]
    assert [order["item"] for order in after[:2]] == [hostile, hostile]
    assert after[1] == before[0]


def test_the_page_refuses_what_the_api_refuses(page_replica: str) -> None:
    state = state_of(act(page_replica, "", "login", username=CUSTOMER, password=PASSWORD))
    for quantity in ("0", "1001", "-1", "1.0", "", "٣", "9" * 5000):
        refused = act(page_replica, state, "order", item="a", quantity=quantity)
        assert (refused.status_code, "quantity must be a whole number" in refused.text) == (400, True)
        assert len(STATE.findall(refused.text)) == 3
    for fields in ({"item": ""}, {"item": "a" * 101}, {"item": "nul\0"}, {}):
        assert act(page_replica, state, "order", **fields, quantity="1").status_code == 400
    for fields in ({"name": "", "value": "a"}, {"name": "a" * 33}, {"name": "a", "value": "b" * 65}):
        assert act(page_replica, state, "prefer", **fields).status_code == 400
    for username, password, status in (("", "", 400), (CUSTOMER, "wrong", 401), ("nobody", PASSWORD, 401)):
        refused = act(page_replica, "", "login", username=username, password=password)
        assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (status, status == 401)
        assert 'name="password"' in refused.text
        assert PASSWORD not in refused.text
    assert act(page_replica, state, "elsewhere").status_code == 400
    assert httpx.post(f"{page_replica}/page", json={"do": "order", "state": state}).status_code == 400
    assert httpx.put(f"{page_replica}/page").headers["Allow"] == "GET, HEAD, POST"
    foreign = {"Origin": "http://elsewhere.example"}
    fields = {"do": "order", "state": state, "item": "a", "quantity": "1"}
    assert httpx.post(f"{page_replica}/page", data=fields, headers=foreign).status_code == 403
    with_header = httpx.post(f"{page_replica}/page", data=fields | {"state": ""}, headers=in_header(state))
    assert state_of(with_header)


def test_claims_last_until_they_are_renewed(stack: ShopStack) -> None:
    """A deactivated user goes on until the state ends, or is renewed; one that is gone orders nothing."""
    database = stack.create_database("session_page_b")
    with stack.replica("session_page", database, "r1") as url:
        state = log_in(url).json()["state"]
        stack._client("psql", "-c", DEACTIVATE, database)
        assert who(url, in_header(state)).status_code == 200
        assert httpx.post(f"{url}/api/refresh", headers=in_header(state)).status_code == 401
        for statement in ("DELETE FROM shop_order WHERE user_id = 1", "DELETE FROM shop_user WHERE id = 1"):
            stack._client("psql", "-c", statement, database)
        gone = act(url, state, "order", item="a", quantity="1")
        assert (gone.status_code, "The user is gone" in gone.text) == (401, True)
    chosen = "from django.conf import settings; print(settings.ROOT_URLCONF)"
    shell = ("shell", "--no-imports", "-c", chosen)
    assert stack.manage("session_page", *shell, database=database) == "apps.shop.page_urls\n"
    elsewhere = {"AUTHBENCH_URLCONF": "apps.shop.urls"}
    assert stack.manage("session_page", *shell, database=database, **elsewhere) == "apps.shop.urls\n"
