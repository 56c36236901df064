"""Opaque tokens about which the load balancer asks the auth service."""

import base64
import binascii
import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import EDGE_CALLER_HEADER, EDGE_SECRET_HEADER, Caller
from apps.services import in_process
from apps.shop.problems import StoreOutage
from apps.strategies._bearer import bearer_token
from apps.strategies._edge import comes_from_edge
from apps.strategies._opaque import Login, digest_of
from apps.strategies._opaque_login import OpaqueLogin

AUTHENTICATE = "/authenticate"
CALLER = "HTTP_" + EDGE_CALLER_HEADER.upper().replace("-", "_")


class EdgeSubrequest(OpaqueLogin):
    """The balancer has asked the auth service, and says what that answered."""

    def recognise(self, request: HttpRequest) -> Login | None:
        """The login that the balancer names; the token is needed for its row only, to renew or end it."""
        digest = digest_of(bearer_token(request))
        if digest is None:
            return None
        if settings.EDGE_IN_PROCESS:
            answer = _ask(request)
            return _login(digest, answer.headers[EDGE_CALLER_HEADER]) if answer.status_code == 204 else None
        return _login(digest, request.META.get(CALLER, "")) if comes_from_edge(request) else None


def told(login: Login) -> str:
    """The login as the auth service tells it in a header: base64url, so that no name can break out of it."""
    caller = login.caller
    fields = [caller.id, caller.username, caller.permissions, login.auth_time, login.issued, login.expires]
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()


def _login(digest: bytes, text: str) -> Login:
    try:
        user_id, username, permissions, auth_time, issued, expires = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError) as error:  # the balancer vouches for what it does not say
        raise StoreOutage("the load balancer names no caller") from error
    return Login(digest, Caller(user_id, username, tuple(permissions)), auth_time, issued, expires)


def _ask(request: HttpRequest) -> HttpResponse:
    headers = {"Authorization": request.META["HTTP_AUTHORIZATION"], EDGE_SECRET_HEADER: settings.EDGE_SECRET}
    return in_process.ask("GET", AUTHENTICATE, headers)
