"""The auth service of opaque tokens: says of a token whose it is (RFC 7662), to callers that know its secret."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import to_json
from apps.services.calls import service_urls
from apps.shop.problems import problem
from apps.shop.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here
from apps.strategies._opaque import digest_of, look_up

ISSUER = "authbench-shop"


def introspect(request: HttpRequest) -> HttpResponse:
    """Who a token stands for; every token that is not good is the same `inactive` (RFC 7662, 2.2)."""
    sent = request.META.get("HTTP_AUTHORIZATION", "").encode("latin-1")
    if not hmac.compare_digest(sent, f"Bearer {settings.SERVICE_SECRET}".encode()):
        return problem(401, "callers only", {"WWW-Authenticate": 'Bearer realm="introspection"'})
    token = request.POST.get("token")
    if token is None:
        return problem(400, "the parameter token is missing")
    digest = digest_of(token)
    login = look_up(digest) if digest else None
    if login is None:
        return HttpResponse(b'{"active":false}', content_type="application/json")
    answer = {
        "active": True,
        "iss": ISSUER,
        "sub": str(login.caller.id),
        "username": login.caller.username,
        "permissions": login.caller.permissions,
        "token_type": "Bearer",
        "auth_time": login.auth_time,
        "iat": login.issued,
        "exp": login.expires,
    }
    return HttpResponse(to_json(answer), content_type="application/json")


urlpatterns = service_urls("introspect", {"POST": introspect})
