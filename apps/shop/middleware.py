"""Middleware that every strategy has: headers of each answer, and protection against cross-origin requests."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import REPLICA_HEADER, SAFE_METHODS
from apps.contract.origins import is_same_origin
from apps.shop.problems import problem

Handler = Callable[[HttpRequest], HttpResponse]


def answer_headers(handle: Handler) -> Handler:
    """Every answer names its replica, tells its length (no chunked framing) and is stored by nobody.

    As the outermost it also drops cookies that Django would take for others than the browser did.
    """
    replica = settings.REPLICA

    def handled(request: HttpRequest) -> HttpResponse:
        if not (cookies := request.META.get("HTTP_COOKIE", "")).isascii():
            request.META["HTTP_COOKIE"] = ascii_only(cookies)
        response = handle(request)
        response.headers[REPLICA_HEADER] = replica
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Length"] = str(len(response.content))
        return response

    return handled


def ascii_only(cookies: str) -> str:
    """A Cookie header without the pairs that are not ASCII (RFC 6265, 4.1.1), which nobody here has set.

    Django strips white space around a name, of which Unicode has more than browsers know: U+2000 before `__Host-` hides
    the prefix from the browser, so that a sister domain may set the cookie, and Django would read it as ours.
    """
    return ";".join(pair for pair in cookies.split(";") if pair.isascii())


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
