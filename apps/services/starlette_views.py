"""The contract's endpoints as Starlette's views: coroutines on one event loop. Tokens as in `jwt-hs256`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response

from apps.contract.bodies import (
    LARGEST_BODY,
    BodyError,
    check_media_type,
    login_of,
    object_of,
    order_of,
    preferences_of,
)
from apps.contract.endpoints import ENDPOINTS, to_json, whoami_body
from apps.services import statements
from apps.services.answers import (
    JSON,
    VARY,
    Refusal,
    about,
    asks_for_preferences,
    check_length,
    check_may_view_reports,
    too_large,
)
from apps.services.async_database import Database
from apps.services.logins import Login, Logins
from apps.services.passwords import is_right
from apps.services.told import Told

View = Callable[[Request], Awaitable[Response]]
Meaning = TypeVar("Meaning")


class Views:
    """The endpoints; those of ENDPOINTS that are authenticated are given the request's login."""

    def __init__(self, told: Told, database: Database) -> None:
        self._logins = Logins(told)
        self._database = database
        self._hashing = anyio.CapacityLimiter(told.threads)

    async def login(self, request: Request) -> Response:
        """Username and password for a token."""
        username, password = await _read(request, login_of)
        found = await self._database.rows(statements.USER_BY_NAME, username)
        kept, active = (found[0][3], found[0][4]) if found else (None, False)
        # In a thread, where it lets go of the interpreter's lock: it takes a third of a second.
        right = await anyio.to_thread.run_sync(is_right, password, kept, limiter=self._hashing)
        if not (right and active):
            raise self._logins.refusal(header(request, "authorization"), "wrong username or password")
        caller = statements.caller(found[0])
        await self._database.rows(statements.LOGGED_IN, datetime.now(UTC), caller.id)
        return _json(about(caller) | self._logins.first(caller))

    async def whoami(self, request: Request, login: Login) -> Response:
        """Who calls."""
        query = request.scope["query_string"]
        if query and asks_for_preferences(query.decode("latin-1")):
            return _json(about(login.caller) | {"preferences": login.preferences})
        return Response(whoami_body(login.caller), media_type=JSON)

    async def orders(self, request: Request, login: Login) -> Response:  # noqa: ARG002
        """The caller's newest orders."""
        rows = await self._database.rows(statements.ORDERS, login.caller.id)
        return _json(statements.orders(login.caller.username, rows))

    async def orders_create(self, request: Request, login: Login) -> Response:
        """A new order of the caller."""
        parameters = statements.new_order(login.caller.id, *await _read(request, order_of))
        try:
            rows = await self._database.rows(statements.NEW_ORDER, *parameters)
        except statements.UserGone:
            raise self._logins.refusal(header(request, "authorization"), "the user is gone") from None
        return _json(statements.created_order(login.caller.username, parameters, rows[0]), status=201)

    async def reports_sales(self, request: Request, login: Login) -> Response:  # noqa: ARG002
        """Count and worth of everybody's newest orders."""
        check_may_view_reports(login.caller)
        rows = await self._database.rows(statements.SALES)
        return _json(statements.sales(login.caller.username, rows[0]))

    async def preferences(self, request: Request, login: Login) -> Response:
        """Replaces the preferences in the token."""
        wanted = await _read(request, preferences_of)
        members = self._logins.with_preferences(login, wanted)
        return _json({"username": login.caller.username, "preferences": wanted, **members})

    async def refresh(self, request: Request, login: Login) -> Response:
        """A token with a new time, where the user may still log in."""
        rows = await self._database.rows(statements.ACTIVE_USER, login.caller.id)
        current = statements.caller(rows[0]) if rows else None
        members = self._logins.renewed(login, current) if current else None
        if current is None or members is None:
            raise self._logins.refusal(header(request, "authorization"), "log in again")
        return _json(about(current) | members)

    async def logout(self, request: Request, login: Login) -> Response:  # noqa: ARG002
        """Nothing can be taken back: the client forgets the token, and it is valid until `exp`."""
        return _json({"username": login.caller.username, "logged_out": True})

    async def public(self, request: Request) -> Response:  # noqa: ARG002
        """The control: no authentication, no store."""
        return _json({"public": True})

    async def healthz(self, request: Request) -> Response:  # noqa: ARG002
        """Ready or not."""
        up = await self._database.answers()
        return _json({"database": "ok" if up else "down"}, status=200 if up else 503)

    def view(self, name: str) -> View:
        """The view of an endpoint, guarded where it is authenticated."""
        view = getattr(self, name.replace("-", "_"))
        return self._guarded(view) if ENDPOINTS[name].authenticated else view

    def _guarded(self, view: Callable[[Request, Login], Awaitable[Response]]) -> View:
        @wraps(view)
        async def guarded(request: Request) -> Response:
            response = await view(request, self._logins.recognised(header(request, "authorization")))
            response.headers.update(VARY)
            return response

        return guarded


def header(request: Request, name: str) -> str:
    """The header's value; one sent several times is one list (RFC 9110, 5.3), so that no second value is overlooked."""
    return ",".join(request.headers.getlist(name))


async def _read(request: Request, meaning: Callable[[dict[str, Any]], Meaning]) -> Meaning:
    try:
        check_media_type(header(request, "content-type").partition(";")[0].strip().lower())
        return meaning(object_of(await _content(request)))
    except BodyError as error:
        raise Refusal(400, str(error)) from None


async def _content(request: Request) -> bytes:
    """The body, refused as soon as it is too large."""
    check_length(header(request, "content-length"))
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_BODY:
            raise too_large()
    return bytes(content)


def _json(value: Any, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type=JSON)
