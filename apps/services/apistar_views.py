"""The contract's endpoints as API Star's views: functions that are given what their annotations name."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from apistar import http

from apps.contract.bodies import BodyError, login_of, order_of, preferences_of
from apps.contract.endpoints import to_json, whoami_body
from apps.services import statements
from apps.services.answers import JSON, VARY, Refusal, about, asks_for_preferences, check_may_view_reports
from apps.services.logins import Login, Logins
from apps.services.passwords import is_right
from apps.services.thread_database import Database

OPEN = {"Content-Type": JSON}
PRIVATE = {"Content-Type": JSON, **VARY}

Meaning = TypeVar("Meaning")


class JsonObject(dict[str, Any]):
    """A request's body."""


def login(body: JsonObject, logins: Logins, database: Database, authorization: http.Header) -> http.Response:
    """Username and password for a token."""
    username, password = _meant(body, login_of)
    found = database.rows(statements.USER_BY_NAME, username)
    kept, active = (found[0][3], found[0][4]) if found else (None, False)
    if not (is_right(password, kept) and active):
        raise logins.refusal(authorization or "", "wrong username or password")
    caller = statements.caller(found[0])
    database.rows(statements.LOGGED_IN, datetime.now(UTC), caller.id)
    return http.Response(to_json(about(caller) | logins.first(caller)), 200, OPEN)


def whoami(login: Login, query: http.QueryString) -> http.Response:
    """Who calls."""
    if query and asks_for_preferences(query):
        return _private(about(login.caller) | {"preferences": login.preferences})
    return http.Response(whoami_body(login.caller), 200, PRIVATE)


def orders(login: Login, database: Database) -> http.Response:
    """The caller's newest orders."""
    rows = database.rows(statements.ORDERS, login.caller.id)
    return _private(statements.orders(login.caller.username, rows))


def create_order(
    login: Login, body: JsonObject, logins: Logins, database: Database, authorization: http.Header
) -> http.Response:
    """A new order of the caller."""
    parameters = statements.new_order(login.caller.id, *_meant(body, order_of))
    try:
        rows = database.rows(statements.NEW_ORDER, *parameters)
    except statements.UserGone:
        raise logins.refusal(authorization, "the user is gone") from None
    return _private(statements.created_order(login.caller.username, parameters, rows[0]), 201)


def sales(login: Login, database: Database) -> http.Response:
    """Count and worth of everybody's newest orders."""
    check_may_view_reports(login.caller)
    rows = database.rows(statements.SALES)
    return _private(statements.sales(login.caller.username, rows[0]))


def preferences(login: Login, body: JsonObject, logins: Logins) -> http.Response:
    """Replaces the preferences in the token."""
    wanted = _meant(body, preferences_of)
    members = logins.with_preferences(login, wanted)
    return _private({"username": login.caller.username, "preferences": wanted, **members})


def refresh(login: Login, logins: Logins, database: Database, authorization: http.Header) -> http.Response:
    """A token with a new time, where the user may still log in."""
    rows = database.rows(statements.ACTIVE_USER, login.caller.id)
    current = statements.caller(rows[0]) if rows else None
    members = logins.renewed(login, current) if current else None
    if current is None or members is None:
        raise logins.refusal(authorization, "log in again")
    return _private(about(current) | members)


def logout(login: Login) -> http.Response:
    """Nothing can be taken back: the client forgets the token, and it is valid until `exp`."""
    return _private({"username": login.caller.username, "logged_out": True})


def public() -> http.Response:
    """The control: no authentication, no store."""
    return http.Response(to_json({"public": True}), 200, OPEN)


def healthz(database: Database) -> http.Response:
    """Ready or not."""
    up = database.answers()
    return http.Response(to_json({"database": "ok" if up else "down"}), 200 if up else 503, OPEN)


VIEWS: Mapping[str, Callable[..., http.Response]] = {
    "login": login,
    "whoami": whoami,
    "orders": orders,
    "orders-create": create_order,
    "reports-sales": sales,
    "preferences": preferences,
    "refresh": refresh,
    "logout": logout,
    "public": public,
    "healthz": healthz,
}


def _meant(body: JsonObject, meaning: Callable[[Mapping[str, Any]], Meaning]) -> Meaning:
    try:
        return meaning(body)
    except BodyError as error:
        raise Refusal(400, str(error)) from None


def _private(value: Mapping[str, Any], status: int = 200) -> http.Response:
    return http.Response(to_json(value), status, PRIVATE)
