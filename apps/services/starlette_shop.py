"""The shop on Starlette, for an ASGI server: `python -m uvicorn apps.services.starlette_shop:application`."""

import gc
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.contract.endpoints import ENDPOINTS
from apps.services.answers import Refusal, every_answer, failure, outage, unrouted
from apps.services.async_database import Database
from apps.services.origins import check_origin
from apps.services.starlette_views import Views, header
from apps.services.statements import OUTAGES
from apps.services.told import Told, start


class EveryAnswer:
    """Around the whole application: refuses cross-origin requests, and completes the headers of each answer."""

    def __init__(self, application: ASGIApp, told: Told) -> None:
        self._application = application
        self._told = told
        self._headers = {secure: _raw(every_answer(told.replica, secure=secure)) for secure in (False, True)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3; lifespan passes through."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(self._headers[scope["scheme"] == "https"])
            await send(message)

        try:
            self._check_origin(Request(scope))
        except Refusal as refused:
            await _refused(refused)(scope, receive, completed)
        else:
            await self._application(scope, receive, completed)

    def _check_origin(self, request: Request) -> None:
        check_origin(
            request.method,
            site=header(request, "sec-fetch-site"),
            origin=header(request, "origin"),
            host=header(request, "host"),
            allowed_hosts=self._told.allowed_hosts,
        )


def shop(told: Told) -> ASGIApp:
    """The application of one replica; its connections live as long as the server."""
    database = Database(told)
    views = Views(told, database)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # An outage is one line a request already; the pool would add one an attempt.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        async with database.pool:
            # As gunicorn.conf.py does: what lives as long as the process is out of the garbage collector's sight.
            gc.collect()
            gc.freeze()
            yield

    application = Starlette(
        routes=[Route(e.path, views.view(name), methods=[e.method]) for name, e in ENDPOINTS.items()],
        exception_handlers={
            Refusal: _refuse,
            **dict.fromkeys(OUTAGES, _report_outage),
            ClientDisconnect: _refuse_half,
            404: _refuse_address,
            405: _refuse_address,
            500: _report_failure,
        },
        lifespan=lifespan,
    )
    application.router.redirect_slashes = False  # the contract's addresses and no others
    return EveryAnswer(application, told)


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _refused(refusal: Refusal) -> Response:
    return Response(refusal.body, refusal.status, refusal.headers)


async def _refuse(request: Request, refusal: Exception) -> Response:  # noqa: ARG001
    assert isinstance(refusal, Refusal)
    return _refused(refusal)


async def _refuse_half(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """A client that went away in the middle of its body."""
    return _refused(Refusal(400, "the body is not JSON"))


async def _refuse_address(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return _refused(unrouted(request.scope["path"]))


async def _report_outage(request: Request, error: Exception) -> Response:
    """In one line: it is no bug, and thousands of requests may meet it."""
    sys.stderr.write(f"{HTTPStatus(503).phrase}: {request.scope['path']} ({type(error).__name__})\n")
    return _refused(outage())


async def _report_failure(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Starlette raises it again after this answer, and the server logs its traceback."""
    return _refused(failure())


application = start(shop)
