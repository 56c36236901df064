"""Logins carried in a bearer token (RFC 6750), as `jwt-hs256` has them: the claims are trusted as signed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.contract.endpoints import Caller
from apps.services.answers import Refusal, unauthenticated
from apps.services.told import Told
from apps.strategies._tokens import Claims, audience_of, caller_of, claims_for, signer_and_verifier

LONGEST_LOGIN_S = 12 * 3600  # refreshing goes on no longer than this after the password was checked

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
        self._signer, self._verifier = signer_and_verifier("HS256", told.jwt_key, audience_of(told.strategy))

    def recognised(self, authorization: str) -> Login:
        """Whom the Authorization header's token names. Raises Refusal."""
        token = _bearer_token(authorization)
        claims = self._verifier.verify(token) if token else None
        if claims is None:
            raise self.refusal(authorization)
        return Login(caller_of(claims), claims)

    def refusal(self, authorization: str, detail: str = "log in first") -> Refusal:
        """401; an error code only where a token was sent (RFC 6750, section 3)."""
        sent = _bearer_token(authorization)
        return unauthenticated('Bearer realm="shop", error="invalid_token"' if sent else 'Bearer realm="shop"', detail)

    def first(self, caller: Caller) -> Members:
        """What a login adds to its answer."""
        now = int(time.time())
        return self._members(claims_for(caller, now=now, expires=now + self._lifetime, auth_time=now))

    def renewed(self, login: Login, current: Caller) -> Members | None:
        """A token with a new time and the user row's claims; None where the login as a whole is too old."""
        now, auth_time = int(time.time()), login.claims["auth_time"]
        end = auth_time + max(LONGEST_LOGIN_S, self._lifetime)
        if now >= end:
            return None
        return self._members(
            claims_for(
                current,
                now=now,
                expires=min(now + self._lifetime, end),
                auth_time=auth_time,
                preferences=login.claims.get("preferences"),
            )
        )

    def with_preferences(self, login: Login, preferences: Mapping[str, str]) -> Members:
        """A token in place of the old one; it ends when that would have ended."""
        return self._members(
            claims_for(
                login.caller,
                now=int(time.time()),
                expires=login.claims["exp"],
                auth_time=login.claims["auth_time"],
                preferences=preferences,
            )
        )

    def _members(self, claims: Claims) -> Members:
        return {
            "access_token": self._signer.sign(claims),
            "token_type": "Bearer",
            "expires_in": claims["exp"] - claims["iat"],
        }


def _bearer_token(authorization: str) -> str:
    """Empty where there is none. Never looked for in a query or a body."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
