"""The token of `_jwt` in a cookie that no script can read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._jwt import JwtClaims
from apps.strategies._tokens import Claims

if TYPE_CHECKING:
    from apps.shop.models import User

COOKIE = "__Host-token"  # RFC 6265bis: only with Secure, Path=/ and no Domain
FLAGS: Any = {"path": "/", "secure": True, "httponly": True, "samesite": "Lax"}


class JwtCookie(JwtClaims):
    """The cookie says who calls; the shop's cross-origin protection sees to it that a page of its own sent it."""

    vary = "Cookie"

    def challenge(self, request: HttpRequest) -> str:  # noqa: ARG002
        """No scheme is registered for cookies; this one is draft-broyer-http-cookie-auth's."""
        return f'Cookie realm="shop", cookie-name="{COOKIE}"'

    def end(self, request: HttpRequest) -> None:
        """The browser forgets the cookie; the token in it is valid until `exp`."""
        super().end(request)
        request.cookie = ("", 0)

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """The cookie of a login now."""
        return user.caller, {"cookies": {COOKIE: self._signer.sign(self._first(user.caller))}}

    def finish(self, request: HttpRequest, response: HttpResponse) -> None:
        """Sets the cookie that this request was given, or deletes it after a logout."""
        given = getattr(request, "cookie", None)
        if given:
            value, seconds = given
            response.set_cookie(COOKIE, value, max_age=seconds, **FLAGS)

    def _give(self, request: HttpRequest, claims: Claims) -> Members:
        request.cookie = (self._signer.sign(claims), claims["exp"] - claims["iat"])
        return {}

    def _token(self, request: HttpRequest) -> str:
        return request.COOKIES.get(COOKIE, "")
