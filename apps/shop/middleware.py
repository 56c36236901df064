"""Middleware that every strategy has: headers of each answer, and protection against cross-origin requests."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import REPLICA_HEADER, SAFE_METHODS
from apps.contract.origins import is_same_origin
from apps.shop.problems import problem

Handler = Callable[[HttpRequest], HttpResponse]


def answer_headers(handle: Handler) -> Handler:
    """Every answer names its replica, tells its length (no chunked framing) and is stored by nobody."""
    replica = settings.REPLICA

    def handled(request: HttpRequest) -> HttpResponse:
        response = handle(request)
        response.headers[REPLICA_HEADER] = replica
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Length"] = str(len(response.content))
        return response

    return handled


def cross_origin_protection(handle: Handler) -> Handler:
    """Refuses unsafe requests that a browser says come from another origin.

    The rule of Go 1.25's net/http CrossOriginProtection and OWASP's Fetch Metadata defence: no token and no round trip.
    Clients that are no browsers send neither header and pass; they carry nobody else's cookies.
    """

    def handled(request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS or is_same_origin(
            request.META.get("HTTP_SEC_FETCH_SITE"), request.META.get("HTTP_ORIGIN"), request.get_host
        ):
            return handle(request)
        return problem(403, "cross-origin request refused")

    return handled
