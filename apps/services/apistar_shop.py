"""The shop on API Star 0.5.42, for a WSGI server: `gunicorn apps.services.apistar_shop`. Tokens as in `jwt-hs256`.

Runs in an environment of its own (apistar.lock). API Star reads annotations, so they are classes and no strings.
"""

import inspect
import sys
import traceback
from http import HTTPStatus
from typing import Any

from apistar import App, Component, Route, exceptions, http
from apistar.server.router import Router
from apistar.server.wsgi import WSGIEnviron

from apps.contract.bodies import LARGEST_BODY, BodyError, check_media_type, object_of
from apps.contract.endpoints import ENDPOINTS
from apps.services import apistar_views
from apps.services.answers import Refusal, check_length, every_answer, failure, outage, too_large, unrouted
from apps.services.apistar_views import JsonObject
from apps.services.logins import Login, Logins
from apps.services.origins import check_origin
from apps.services.statements import OUTAGES
from apps.services.thread_database import Database
from apps.services.told import Told, start

ADDRESSES = frozenset(endpoint.path for endpoint in ENDPOINTS.values())


class Given(Component):
    """A value that is made once, for parameters of its class."""

    def __init__(self, value: object) -> None:
        self._value = value

    def can_handle_parameter(self, parameter: inspect.Parameter) -> bool:
        """API Star asks every component."""
        return parameter.annotation is type(self._value)

    def resolve(self):
        """The value."""
        return self._value


class LoginOfRequest(Component):
    """Whom the request's token names; a request without a valid one ends here."""

    def resolve(self, authorization: http.Header, logins: Logins) -> Login:
        """From the header only."""
        return logins.recognised(authorization or "")


class BodyOfRequest(Component):
    """The request's body, read when a view asks for it: after its login."""

    def resolve(self, environ: WSGIEnviron) -> JsonObject:
        """Raises Refusal. API Star's own reading has no limit."""
        try:
            check_media_type(environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower())
            return JsonObject(object_of(_content(environ)))
        except BodyError as error:
            raise Refusal(400, str(error)) from None


class Frame:
    """Around every view: refuses cross-origin requests, and completes the headers of each answer."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._headers = {secure: every_answer(told.replica, secure=secure) for secure in (False, True)}

    def on_request(self, environ: WSGIEnviron) -> None:
        """Raises Refusal."""
        check_origin(
            environ["REQUEST_METHOD"],
            site=environ.get("HTTP_SEC_FETCH_SITE"),
            origin=environ.get("HTTP_ORIGIN"),
            host=environ.get("HTTP_HOST"),
            allowed_hosts=self._told.allowed_hosts,
        )

    def on_response(self, environ: WSGIEnviron, response: http.Response) -> None:
        """Of refusals too."""
        for name, value in self._headers[environ["wsgi.url_scheme"] == "https"].items():
            response.headers[name] = value


class ExactRouter(Router):
    """The contract's addresses and no others: werkzeug would take `//api/public` too, and redirect from some."""

    def lookup(self, path: str, method: str) -> Any:
        """Raises NotFound and MethodNotAllowed."""
        if path not in ADDRESSES:
            raise exceptions.NotFound
        return super().lookup(path, method)


class Shop(App):
    """API Star, with the contract's addresses and problem documents."""

    def __init__(self, told: Told) -> None:
        self._frame = Frame(told)
        given = [Given(Logins(told)), Given(Database(told))]
        super().__init__(
            routes=[Route(e.path, e.method, apistar_views.VIEWS[name], name=name) for name, e in ENDPOINTS.items()],
            components=[*given, LoginOfRequest(), BodyOfRequest()],
            # An instance: of hooks given as a class API Star makes and resolves a new one at every request.
            event_hooks=[self._frame],
            schema_url=None,
            docs_url=None,
            static_url=None,
        )

    def init_router(self, routes: list[Route]) -> None:
        """With addresses taken literally."""
        self.router = ExactRouter(routes)

    def exception_handler(self, exc: Exception, environ: WSGIEnviron) -> http.Response:
        """Every exception becomes a problem document; a bug is logged."""
        refusal = self._refusal(exc, environ)
        return http.Response(refusal.body, refusal.status, refusal.headers)

    def _refusal(self, error: Exception, environ: dict[str, Any]) -> Refusal:
        if isinstance(error, Refusal):
            return error
        if isinstance(error, exceptions.NotFound | exceptions.MethodNotAllowed):  # raised before any hook runs
            try:
                self._frame.on_request(environ)
            except Refusal as refusal:
                return refusal
            return unrouted(environ["PATH_INFO"])
        if isinstance(error, OUTAGES):
            # In one line: it is no bug, and thousands of requests may meet it.
            sys.stderr.write(f"{HTTPStatus(503).phrase}: {environ['PATH_INFO']} ({type(error).__name__})\n")
            return outage()
        traceback.print_exception(error)
        return failure()


def _content(environ: dict[str, Any]) -> bytes:
    """The body, of which no more is read than may be used."""
    check_length(environ.get("CONTENT_LENGTH", ""))
    try:
        content: bytes = environ["wsgi.input"].read(LARGEST_BODY + 1)
    except OSError:  # a client that went away in the middle
        raise Refusal(400, "the body is not JSON") from None
    if len(content) > LARGEST_BODY:
        raise too_large()
    return content


application = start(Shop)
