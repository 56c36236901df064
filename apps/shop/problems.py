"""Errors as RFC 9457 problem documents, and the error pages of the URL configuration."""

import logging
import sys
from collections.abc import Mapping

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import PROBLEM_JSON, problem_body
from apps.strategies._authenticator import authenticator


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """Ends a request with a problem document."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def response(self) -> HttpResponse:
        """The problem document."""
        return problem(self.status, self.detail, self.headers)


class StoreOutage(Exception):  # noqa: N818
    """A store that the strategy needs did not answer. It must never look like a refusal."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A problem document of the generic type: status and detail say all there is."""
    return HttpResponse(problem_body(status, detail), status=status, content_type=PROBLEM_JSON, headers=headers)


def unauthenticated(request: HttpRequest, detail: str = "log in first") -> HttpResponse:
    """401 with the strategy's challenge."""
    strategy = authenticator()
    return problem(401, detail, {"WWW-Authenticate": strategy.challenge(request), "Vary": strategy.vary})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: what Django refused by itself."""
    if is_outage(exception):
        return outage()
    if isinstance(exception, SessionInterrupted):
        return unauthenticated(request, "the session was ended meanwhile")
    if isinstance(exception, RequestDataTooBig):
        return problem(413, "the body is too large")
    return problem(400, "the request is malformed")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """`handler403`."""
    return problem(403, "not allowed")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """`handler404`."""
    return problem(404, "there is no such address")


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """`handler500`: called while the exception is being handled. A store's outage is a 503, anything else a bug."""
    if is_outage(sys.exception()):
        return outage()
    return problem(500, "the server failed")


def outage() -> HttpResponse:
    """503: nothing is known about the caller, so nothing is said about the credential."""
    return problem(503, "a store does not answer", {"Retry-After": "1"})


def is_outage(error: BaseException | None) -> bool:
    """Whether a store's failure to answer caused it, however many exceptions Django wrapped around it."""
    redis = sys.modules.get("redis")  # only strategies that use the cache have imported it
    outages = (OperationalError, InterfaceError, StoreOutage, *([redis.RedisError] if redis else []))
    while error is not None:
        if isinstance(error, outages):
            return True
        error = error.__context__
    return False


class OutageInOneLine(logging.Filter):
    """Logs an outage without its traceback: it is no bug, and thousands of requests may meet it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps every record."""
        if record.exc_info and is_outage(record.exc_info[1]):
            record.msg, record.args = f"{record.getMessage()} ({type(record.exc_info[1]).__name__})", ()
            record.exc_info = record.exc_text = None
        return True
