"""The auth service of `exchanged_jwt`: a user's token for a narrower one that only services take (RFC 8693).

It stands on signatures alone: no store is asked, so that a login which was ended goes on until its token ends.
"""

import hmac
from time import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import to_json
from apps.services.calls import service_urls
from apps.services.mesh._granted import ACCESS_TOKEN, TOKEN_EXCHANGE, TOKEN_PATH, ends, narrowed
from apps.services.mesh._told import ALGORITHM, INTERNAL_AUDIENCE, PUBLIC_AUDIENCE, public_key
from apps.shop.environment import shared_secret
from apps.shop.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here
from apps.strategies._bearer import token_answer
from apps.strategies._keys import private_key
from apps.strategies._tokens import Signer, Verifier, caller_of, claims_for

_verifier = Verifier(ALGORITHM, public_key("AUTHBENCH_MESH_USER_KEY"), PUBLIC_AUDIENCE)
_signer = Signer(ALGORITHM, private_key("AUTHBENCH_MESH_INTERNAL_KEY", ALGORITHM), settings.MESH_AUDIENCE)
_CALLERS = f"Bearer {shared_secret('AUTHBENCH_SERVICE_SECRET')}".encode()  # what they have to say


def exchange(request: HttpRequest) -> HttpResponse:
    """A token for the services; errors as RFC 6749, 5.2 names them."""
    if not hmac.compare_digest(request.META.get("HTTP_AUTHORIZATION", "").encode("latin-1"), _CALLERS):
        return _error(401, "invalid_client")
    form = request.POST
    if form.get("grant_type") != TOKEN_EXCHANGE:
        return _error(400, "unsupported_grant_type")
    if form.get("audience") != INTERNAL_AUDIENCE:
        return _error(400, "invalid_target")
    token = form.get("subject_token", "") if form.get("subject_token_type") == ACCESS_TOKEN else ""
    claims = _verifier.verify(token) if token else None
    if claims is None:
        return _error(400, "invalid_request")
    now = int(time())
    expires = ends(now, claims["exp"])
    caller = narrowed(caller_of(claims), form.get("scope", ""))
    signed = _signer.sign(claims_for(caller, now=now, expires=expires, auth_time=claims["auth_time"]))
    given = {"issued_token_type": ACCESS_TOKEN, "scope": " ".join(caller.permissions)}
    return HttpResponse(to_json(token_answer(signed, expires - now) | given), content_type="application/json")


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: its keys could be read."""
    return HttpResponse(to_json({"keys": "ok"}), content_type="application/json")


def _error(status: int, error: str) -> HttpResponse:
    return HttpResponse(to_json({"error": error}), status=status, content_type="application/json")


urlpatterns = service_urls(TOKEN_PATH.lstrip("/"), {"POST": exchange}, ready=healthz)
