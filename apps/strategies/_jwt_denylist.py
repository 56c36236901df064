"""Tokens that can be taken back: the `jti` of those that were stands in Valkey until they would have expired."""

import time
from collections.abc import Mapping

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.cache import cache
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._jwt import JwtClaims
from apps.strategies._tokens import Claims


class JwtDenylist(JwtClaims):
    """Asks at every request whether the token was taken back. A cache that does not answer is an outage (503).

    By `jti`, never by the token's text: the library also takes the text with `=` appended. A token that is replaced is
    taken back too, so that a login has one token and its logout ends that.
    """

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the token names, unless it was taken back: one command."""
        caller = super().authenticate(request)
        return caller if caller and cache.get(_key(request.claims)) is None else None

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A new token for the old one, once: of two requests with the same token the later is refused."""
        renewed = super().renew(request, caller)
        return renewed if renewed and _take_back(request.claims) else None

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """A token in place of the old one. Raises SessionInterrupted (401) where that was taken back meanwhile."""
        if not _take_back(request.claims):
            raise SessionInterrupted("the token was taken back meanwhile")
        return super().keep_preferences(request, preferences)

    def end(self, request: HttpRequest) -> None:
        """Takes the token back, everywhere at once.

        Raises SessionInterrupted (401) where that had been done meanwhile: another request has replaced the token, and
        the login goes on under the new one.
        """
        if not _take_back(request.claims):
            raise SessionInterrupted("the token was taken back meanwhile")
        super().end(request)


def _take_back(claims: Claims) -> bool:
    """Whether this call did it: one `SET NX EX`. A second more than is left, since the clock was read before."""
    return cache.add(_key(claims), 1, timeout=max(claims["exp"] - int(time.time()), 0) + 1)


def _key(claims: Claims) -> str:
    return f"denied:{claims['jti']}"
