"""Tokens that are good for one request each: the `jti` is used up in Valkey, and the answer brings the next token."""

import time

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import AUTHENTICATION_INFO, Caller
from apps.strategies._authenticator import Members
from apps.strategies._jwt import JwtClaims
from apps.strategies._tokens import Claims, followed


class JwtOnce(JwtClaims):
    """A login is a chain of tokens with one that works; whoever comes second with it is refused.

    A cache that does not answer is an outage (503): the token may be used up or not, nobody knows.
    """

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the token names, if nobody has used it: one command."""
        caller = super().authenticate(request)
        if caller is None or not _use_up(request.claims):
            return None
        request.owed = request.claims
        return caller

    def end(self, request: HttpRequest) -> None:
        """No next token: the chain ends, and with it the login."""
        request.owed = None
        super().end(request)

    def finish(self, request: HttpRequest, response: HttpResponse) -> None:
        """The next token of an authenticated request, errors included (RFC 9110, 11.6.3)."""
        token, owed = getattr(request, "given", None), getattr(request, "owed", None)
        if token is None and owed is not None:
            token = self._signer.sign(followed(owed, owed.get("preferences")))
        if token is not None:
            response.headers[AUTHENTICATION_INFO] = f'next-token="{token}"'

    def _give(self, request: HttpRequest, claims: Claims) -> Members:
        members = super()._give(request, claims)
        request.given = members["access_token"]
        return members


def _use_up(claims: Claims) -> bool:
    """Whether this call did it: one `SET NX EX`. A second more than is left, since the clock was read before."""
    return cache.add(f"used:{claims['jti']}", 1, timeout=max(claims["exp"] - int(time.time()), 0) + 1)
