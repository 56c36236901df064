"""What a page's own script learns of a login, in Chromium: what `authbench.experiments.reading` counts, seen there."""

import pytest

from tests.browser.test_cookie_limit import LOGIN, WHO
from tests.browser.test_report import browser  # noqa: F401 - a fixture
from tests.integration.shop_stack import ShopStack, shop_stack  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# The script has no key: it undoes base64url, as whoever holds the token can.
LOG_IN_AND_READ = """login => fetch('/api/login', {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(login)
}).then(answer => answer.json()).then(body => {
    const part = (body.access_token || '').split('.')[1];
    const said = part ? JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) : null;
    return {said: said, cookies: document.cookie};
})"""


@pytest.mark.parametrize(
    ("strategy", "read", "sent_along"),
    [("jwt_hs256", True, False), ("jwt_cookie", False, True), ("session_db", False, True)],
)
def test_a_script_reads_a_token_that_it_holds_and_no_httponly_cookie(
    shop_stack: ShopStack,  # noqa: F811
    browser,  # noqa: F811
    strategy: str,
    read: bool,
    sent_along: bool,
) -> None:
    with shop_stack.replica(strategy, shop_stack.create_database(f"{strategy}_read")) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/healthz")

        found = page.evaluate(LOG_IN_AND_READ, LOGIN)

        assert found["cookies"] == ""
        assert (found["said"] or {}).get("username") == (LOGIN["username"] if read else None)
        # A cookie goes with the next request though no script saw it; a token has to be attached by one.
        assert page.evaluate(WHO) == (200 if sent_along else 401)
        assert all(cookie["httpOnly"] for cookie in context.cookies())
        context.close()
