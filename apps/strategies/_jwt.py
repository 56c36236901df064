"""Logins carried in a bearer token (RFC 6750): claims trusted as signed, or the user row read on every request."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._bearer import bearer_challenge, bearer_token, token_answer
from apps.strategies._tokens import (
    Claims,
    audience_of,
    caller_of,
    first_claims,
    followed,
    renewed,
    signer_and_verifier,
)
from apps.strategies._user_row import active_user

if TYPE_CHECKING:
    from apps.shop.models import User


class JwtClaims:
    """The token says who calls; no store is asked."""

    vary = "Authorization"

    def __init__(self) -> None:
        self._lifetime: int = settings.JWT_LIFETIME_S
        self._signer, self._verifier = self._halves(audience_of(settings.STRATEGY_NAME))

    def _halves(self, audience: str) -> tuple[Any, Any]:
        """What signs and what verifies, made once a process: see `Signer` and `Verifier`."""
        if hasattr(settings.JWT_KEY, "halves"):  # a private key that stays in a vault
            return settings.JWT_KEY.halves(audience)
        former = getattr(settings, "JWT_KEY_FALLBACKS", ())  # of strategies with a shared secret (HS256)
        return signer_and_verifier(settings.JWT_ALGORITHM, settings.JWT_KEY, audience, former)

    def challenge(self, request: HttpRequest) -> str:
        """RFC 6750, section 3: an error code only where a token was sent."""
        return bearer_challenge(request)

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """A token with the claims of the user row that the password was checked against."""
        user_logged_in.send(sender=type(user), request=request, user=user)
        return self._give(request, self._first(user.caller))

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the token names. The claims stay with the request, for preferences and refresh."""
        token = self._token(request)
        claims = self._verifier.verify(token) if token else None
        if claims is None:
            return None
        request.claims = claims
        return self._caller(claims)

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whoever is authenticated."""
        return self.authenticate(request)

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A token with a new time, from the user row, until the login as a whole is too old."""
        claims = self._renewed(request.claims, caller)
        return claims and (caller_of(claims), self._give(request, claims))

    def end(self, request: HttpRequest) -> None:
        """Nothing can be taken back: the client forgets the token, and it is valid until `exp`."""
        user_logged_out.send(sender=None, request=request, user=None)

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:
        """From the token."""
        return request.claims.get("preferences") or {}

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """A token in place of the old one; it ends when that would have ended."""
        return self._give(request, followed(request.claims, preferences))

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """The token of a login now."""
        return user.caller, {"access_token": self._signer.sign(self._first(user.caller))}

    def forging_key(self) -> tuple[str, Any]:
        """Algorithm and key that tokens are signed with: for `manage.py forge`."""
        return self._signer.forging_key()

    def _first(self, caller: Caller) -> Claims:
        return first_claims(caller, self._lifetime)

    def _renewed(self, claims: Claims, caller: Caller) -> Claims | None:
        current = self._current(caller)
        return current and renewed(claims, current, self._lifetime)

    def _give(self, request: HttpRequest, claims: Claims) -> Members:  # noqa: ARG002
        """Signs the claims and gives the token to the client: in the answer's body."""
        return token_answer(self._signer.sign(claims), claims["exp"] - claims["iat"])

    def _token(self, request: HttpRequest) -> str:
        return bearer_token(request)

    def _caller(self, claims: Claims) -> Caller | None:
        return caller_of(claims)

    def _current(self, caller: Caller) -> Caller | None:
        user = active_user(caller.id)
        return user.caller if user else None


class JwtRow(JwtClaims):
    """The token names a user; everything else comes from that user's row."""

    def _caller(self, claims: Claims) -> Caller | None:
        user = active_user(int(claims["sub"]))
        return user.caller if user else None

    def _current(self, caller: Caller) -> Caller | None:
        return caller  # read from the row a moment ago
