"""Logins carried in a bearer token (RFC 6750), as `jwt-hs256` has them: the claims are trusted as signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.contract.endpoints import Caller
from apps.services.answers import Refusal, unauthenticated
from apps.services.told import Told
from apps.strategies._bearer import challenge_to, token_answer, token_in
from apps.strategies._tokens import (
    Claims,
    audience_of,
    caller_of,
    first_claims,
    followed,
    renewed,
    signer_and_verifier,
)

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Login:
    """A request's login: who calls, and the claims of the token that says so."""

    caller: Caller
    claims: Claims

    @property
    def preferences(self) -> Mapping[str, str]:
        """From the token."""
        return self.claims.get("preferences") or {}


class Logins:
    """Issues, checks and replaces the tokens of one strategy."""

    def __init__(self, told: Told) -> None:
        self._lifetime = told.jwt_lifetime_s
        audience = audience_of(told.strategy)
        self._signer, self._verifier = signer_and_verifier("HS256", told.jwt_key, audience, told.former_jwt_keys)

    def recognised(self, authorization: str) -> Login:
        """Whom the Authorization header's token names. Raises Refusal."""
        token = token_in(authorization)
        claims = self._verifier.verify(token) if token else None
        if claims is None:
            raise self.refusal(authorization)
        return Login(caller_of(claims), claims)

    def refusal(self, authorization: str, detail: str = "log in first") -> Refusal:
        """401; an error code only where a token was sent (RFC 6750, section 3)."""
        return unauthenticated(challenge_to(authorization), detail)

    def first(self, caller: Caller) -> Members:
        """What a login adds to its answer."""
        return self._members(first_claims(caller, self._lifetime))

    def renewed(self, login: Login, current: Caller) -> Members | None:
        """A token with a new time and the user row's claims; None where the login as a whole is too old."""
        claims = renewed(login.claims, current, self._lifetime)
        return claims and self._members(claims)

    def with_preferences(self, login: Login, preferences: Mapping[str, str]) -> Members:
        """A token in place of the old one; it ends when that would have ended."""
        return self._members(followed(login.claims, preferences))

    def _members(self, claims: Claims) -> Members:
        return token_answer(self._signer.sign(claims), claims["exp"] - claims["iat"])
