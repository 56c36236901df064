"""A login that lives in the page, in a browser: what a person can do with it, and what going back does to it."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Error, Page

from tests.browser.test_report import browser  # noqa: F401 - a fixture
from tests.integration.shop_stack import PASSWORD, ShopStack, shop_stack  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HIDDEN = re.compile(r'name="state" value="([^"]+)"')


@pytest.fixture(scope="module")
def address(shop_stack: ShopStack) -> Iterator[str]:  # noqa: F811
    with shop_stack.replica("session_page", shop_stack.create_database("session_page")) as url:
        yield f"{url}/page"


class Visit:
    """A tab of its own, with every request that left it and every state that stood in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.sent: list[str] = []
        self.states: set[str] = set()
        page.on("request", lambda request: self.sent.extend((request.url, *_addresses(request.headers))))
        page.goto(address)

    def log_in(self) -> None:
        self.page.get_by_label("Username").fill("user00001")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Log in")

    def order(self, item: str) -> None:
        self.page.get_by_label("Item").fill(item)
        self.press("Order")

    def prefer(self, name: str, value: str) -> None:
        self.page.get_by_label("Preference").fill(name)
        self.page.get_by_label("Value").fill(value)
        self.press("Change")

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()
        self.states.update(HIDDEN.findall(self.page.content()))

    def preferences(self) -> list[str]:
        return self.page.locator("dl > *").all_inner_texts()

    def items(self) -> list[str]:
        return self.page.locator("tr td:nth-child(2)").all_inner_texts()

    def asks_for_the_login(self) -> bool:
        return self.page.get_by_label("Password").is_visible() and self.page.locator("[name=state]").count() == 0


@pytest.fixture
def visit(browser, address: str) -> Iterator[Visit]:  # noqa: F811
    context = browser.new_context()
    yield Visit(context.new_page(), address)
    context.close()


def test_forms_carry_the_login_and_nothing_else_does(visit: Visit, address: str) -> None:
    assert visit.asks_for_the_login()
    visit.log_in()
    assert visit.page.locator("#username").inner_text() == "user00001"
    visit.order("a <b>pen</b>")
    assert visit.items()[0] == "a <b>pen</b>"
    visit.prefer("theme", "dark")
    assert visit.preferences() == ["theme", "dark"]
    visit.order("a book")
    assert visit.items()[:2] == ["a book", "a <b>pen</b>"]
    assert visit.preferences() == ["theme", "dark"]
    assert visit.page.locator("script").count() == 0

    assert len(visit.states) >= 2
    assert set(visit.sent) <= {address, address.removesuffix("/page"), address.replace("/page", "/favicon.ico")}
    assert visit.page.context.cookies() == []
    assert visit.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]

    visit.page.goto(address)  # a link brings no state
    assert visit.asks_for_the_login()


def test_a_page_that_is_sent_again_brings_its_old_preferences_back(visit: Visit) -> None:
    visit.log_in()
    visit.prefer("theme", "dark")
    visit.prefer("theme", "light")
    assert visit.preferences() == ["theme", "light"]

    # The browser has kept no page (`no-store`): it asks whether to send the older page's form again.
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        visit.page.go_back()
    visit.page.get_by_text("Confirm Form Resubmission").wait_for()
    visit.page.reload()
    assert visit.preferences() == ["theme", "dark"]
    visit.order("sent from the old page")
    assert visit.preferences() == ["theme", "dark"]  # nobody remembers that it was changed to light


def test_an_order_that_is_sent_again_is_a_second_order(visit: Visit) -> None:
    visit.log_in()
    visit.order("only once")
    assert visit.items()[:2].count("only once") == 1

    visit.page.reload()

    assert visit.items()[:2] == ["only once", "only once"]


def test_a_logout_leaves_copies_valid(visit: Visit, address: str) -> None:
    visit.log_in()
    (copy,) = visit.states
    visit.press("Log out")
    assert visit.asks_for_the_login()

    whoami = address.replace("/page", "/api/whoami")
    assert httpx.get(whoami, headers={"X-Page-State": copy}).json()["username"] == "user00001"


@pytest.mark.parametrize(
    "change",
    [
        "value => value.replace(/.$/, last => last === 'a' ? 'b' : 'a')",
        "value => value.slice(0, 10) + 'x' + value.slice(11)",
        "value => value.split(':')[0]",
        "value => ''",
    ],
)
def test_a_page_that_was_tampered_with_leads_to_the_login(visit: Visit, change: str) -> None:
    visit.log_in()
    before = visit.items()
    visit.page.evaluate(
        f"() => {{ const change = {change}; const field = document.querySelector('#order [name=state]');"
        " field.value = change(field.value); }"
    )
    visit.order("never")

    assert visit.asks_for_the_login()
    assert visit.page.get_by_role("alert").inner_text().startswith("Log in again")
    visit.log_in()
    assert visit.items() == before


def _addresses(headers: dict[str, str]) -> list[str]:
    return [headers[name] for name in ("referer", "origin") if name in headers]
