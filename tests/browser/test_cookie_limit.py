"""How long a cookie a browser keeps: what `authbench.experiments.payload` goes by, seen in Chromium and to the byte."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Page

from authbench.experiments.payload.measures import COOKIE_LIMIT_BYTES
from tests.browser.test_report import browser  # noqa: F401 - a fixture
from tests.integration.shop_stack import PASSWORD, ShopStack, shop_stack  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LOGIN = {"username": "user00001", "password": PASSWORD}
COOKIE = "__Host-token"
# What a page's own script does; the answer's Set-Cookie is the browser's to keep or not.
LOG_IN = """login => fetch('/api/login', {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(login)
}).then(answer => answer.status)"""
WHO = "() => fetch('/api/whoami').then(answer => answer.status)"


@pytest.fixture(scope="module")
def database(shop_stack: ShopStack) -> str:  # noqa: F811
    return shop_stack.create_database("jwt_cookie")


@contextmanager
def serving(shop: ShopStack, database: str, payload_bytes: int) -> Iterator[str]:
    """A replica of `jwt-cookie` whose logins hold that payload; its address."""
    with shop.replica("jwt_cookie", database, AUTHBENCH_PAYLOAD_BYTES=str(payload_bytes)) as url:
        yield url


def set_cookie(url: str) -> tuple[str, str]:
    """Name and value of the cookie that a login sets."""
    answer = httpx.post(f"{url}/api/login", json=LOGIN)
    assert answer.status_code == 200
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == COOKIE
    return name, value


def size_of(name: str, value: str) -> int:
    """RFC 6265bis adds up the two."""
    return len(name) + len(value)


def most_payload(name: str, value: str, limit: int) -> int:
    """The greatest payload whose cookie is no longer than `limit`, from the cookie with one byte of it.

    Only the token's claims grow: base64url without padding, four characters for three bytes and what is left over.
    """
    claims = value.split(".")[1]
    room = limit - size_of(name, value) + len(claims)
    return 1 + room * 3 // 4 - len(claims) * 3 // 4


def logged_in(page: Page, url: str) -> tuple[int, int, list[int]]:
    """Statuses of a login in the browser and of the request after it, and the sizes of the cookies it has kept."""
    page.goto(f"{url}/healthz")
    login = page.evaluate(LOG_IN, LOGIN)
    who = page.evaluate(WHO)
    return login, who, [len(cookie["name"]) + len(cookie["value"]) for cookie in page.context.cookies()]


def test_a_cookie_is_kept_up_to_4096_bytes_and_dropped_in_silence_beyond(
    shop_stack: ShopStack,  # noqa: F811
    database: str,
    browser,  # noqa: F811
) -> None:
    with serving(shop_stack, database, 1) as url:
        fits = most_payload(*set_cookie(url), COOKIE_LIMIT_BYTES)
    seen = {}
    for payload_bytes in (fits, fits + 1):
        with serving(shop_stack, database, payload_bytes) as url:
            size = size_of(*set_cookie(url))
            context = browser.new_context()
            seen[size] = logged_in(context.new_page(), url)
            context.close()

    # The server says 200 in both cases: it cannot know.
    assert seen == {4_096: (200, 200, [4_096]), 4_097: (200, 401, [])}
