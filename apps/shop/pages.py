"""The shop as a page of plain HTML forms, each of which brings the login's state along: no cookie and no script.

The state stands in the page's body only. It must never be part of an address: those end in histories and logs.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, Template

from apps.contract.bodies import BodyError, login_of, order_of, preferences_of
from apps.contract.endpoints import Caller
from apps.shop.bodies import form_fields
from apps.shop.problems import Problem, unauthenticated
from apps.shop.views import newest_orders, place_order
from apps.strategies._authenticator import Members, authenticator

LONGEST_QUANTITY = 4  # digits
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # Not no-referrer: browsers then send `Origin: null` with a form, which says nothing of where it comes from.
    "Referrer-Policy": "same-origin",
}
PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shop</title>
<h1>Shop</h1>
{% if said %}<p role="alert">{{ said }}</p>
{% endif %}{% if not caller %}<form method="post" action="/page">
<p><label>Username <input name="username" autocomplete="username" required></label>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<p><button name="do" value="login">Log in</button>
</form>
{% else %}<p>Logged in as <strong id="username">{{ caller.username }}</strong>
<form method="post" action="/page" id="order">
<input type="hidden" name="state" value="{{ state }}">
<p><label>Item <input name="item" maxlength="100" required></label>
<label>Quantity <input name="quantity" type="number" min="1" max="1000" value="1" required></label>
<button name="do" value="order">Order</button>
</form>
<form method="post" action="/page" id="prefer">
<input type="hidden" name="state" value="{{ state }}">
<p><label>Preference <input name="name" maxlength="32" required></label>
<label>Value <input name="value" maxlength="64"></label>
<button name="do" value="prefer">Change</button>
</form>
<form method="post" action="/page" id="logout">
<input type="hidden" name="state" value="{{ state }}">
<p><button name="do" value="logout">Log out</button>
</form>
<h2>Preferences</h2>
<dl>
{% for name, value in preferences %}<dt>{{ name }}<dd>{{ value }}
{% endfor %}</dl>
<h2>Newest orders</h2>
<table>
<tr><th>Number<th>Item<th>Quantity<th>Cents
{% for order in orders %}<tr><td>{{ order.id }}<td>{{ order.item }}<td>{{ order.quantity }}<td>{{ order.total_cents }}
{% endfor %}</table>
{% endif %}"""


def login_form(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The page of somebody who is not logged in: a GET carries no state."""
    return _page()


def submit(request: HttpRequest) -> HttpResponse:
    """What one of the page's forms asks for, and the page after it."""
    fields = form_fields(request)
    wanted = fields.get("do", "")
    if wanted == "login":
        return _log_in(request, fields)
    act = ACTIONS.get(wanted)
    if act is None:
        raise Problem(400, f"do is one of login, {', '.join(ACTIONS)}")
    caller = authenticator().authenticate(request)
    if caller is None:
        return _refused(request, "Log in again: this page is too old, or was changed.")
    return act(request, caller, fields)


def _log_in(request: HttpRequest, fields: Mapping[str, str]) -> HttpResponse:
    try:
        username, password = login_of(fields)
    except BodyError as error:
        return _page(said=str(error), status=400)
    user = authenticate(request, username=username, password=password)
    if user is None:
        return _refused(request, "Wrong username or password.")
    return _page(**_shown(user.caller, authenticator().establish(request, user), {}))


def _order(request: HttpRequest, caller: Caller, fields: Mapping[str, str]) -> HttpResponse:
    shown: dict[str, Any] = {}
    try:
        place_order(caller, *order_of({**fields, "quantity": _number(fields.get("quantity", ""))}))
    except BodyError as error:
        shown = {"said": str(error), "status": 400}
    except IntegrityError:  # the page outlives its user's row
        return _refused(request, "The user is gone.")
    return _shop(request, caller, authenticator().preferences(request), **shown)


def _prefer(request: HttpRequest, caller: Caller, fields: Mapping[str, str]) -> HttpResponse:
    before = authenticator().preferences(request)
    try:
        after = preferences_of({**before, fields.get("name", ""): fields.get("value", "")})
    except BodyError as error:
        return _shop(request, caller, before, said=str(error), status=400)
    return _shop(request, caller, after)


def _log_out(request: HttpRequest, caller: Caller, fields: Mapping[str, str]) -> HttpResponse:  # noqa: ARG001
    authenticator().end(request)
    return _page(said="Logged out.")


ACTIONS: Mapping[str, Callable[[HttpRequest, Caller, Mapping[str, str]], HttpResponse]] = {
    "order": _order,
    "prefer": _prefer,
    "logout": _log_out,
}


def _shop(request: HttpRequest, caller: Caller, preferences: Mapping[str, str], **more: Any) -> HttpResponse:
    """The page after a form, with a state of its own that holds these preferences."""
    return _page(**_shown(caller, authenticator().keep_preferences(request, preferences), preferences), **more)


def _shown(caller: Caller, members: Members, preferences: Mapping[str, str]) -> dict[str, Any]:
    orders = newest_orders(caller)
    return {"caller": caller, "state": members["state"], "preferences": list(preferences.items()), "orders": orders}


def _refused(request: HttpRequest, said: str) -> HttpResponse:
    """The login form as a 401, with the strategy's challenge."""
    response = _page(said=said, status=401)
    response.headers["WWW-Authenticate"] = unauthenticated(request).headers["WWW-Authenticate"]
    return response


def _page(status: int = 200, **shown: Any) -> HttpResponse:
    return HttpResponse(_template().render(Context(shown)), status=status, headers=HEADERS)


@cache
def _template() -> Template:
    return Engine().from_string(PAGE)  # which escapes what it is given


def _number(text: str) -> int | str:
    """The whole number that a form's field holds; the text where it holds none, for the rules to refuse."""
    return int(text) if len(text) <= LONGEST_QUANTITY and text.isascii() and text.isdigit() else text
