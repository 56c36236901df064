"""Access tokens: signed JSON (RFC 7519), issued and verified with PyJWT."""

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt

from apps.contract.bodies import LONGEST_USERNAME
from apps.contract.endpoints import Caller
from apps.contract.tokens import ISSUER, LONGEST_LOGIN_S, TOKEN_TYPE, audience_of
from apps.strategies._payload import payload

__all__ = ["ISSUER", "TOKEN_TYPE", "audience_of"]

LEEWAY_S = 0  # all replicas read one clock here; where they do not, a few seconds let NTP's error pass
LONGEST_TOKEN = 8 * 1024  # characters; looked at before anything is decoded
LATEST = 10**11  # Unix seconds, in the year 5138; what is left until then fits every store's own idea of a time
REQUIRED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "username", "permissions")
REFUSALS = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError)

Claims = Mapping[str, Any]
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)  # fits PostgreSQL's bigint
_JTI = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)  # as `claims_for` draws it, so it can be part of any store's key
_CHECKS: Any = {"require": list(REQUIRED), "strict_aud": True}
_UNSIGNED: Any = _CHECKS | {
    "verify_signature": False,
    **{f"verify_{claim}": True for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


class Utf8(json.JSONEncoder):
    """JSON in UTF-8: escapes would make `ß` six bytes, and the longest preferences have to fit a cookie."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"ensure_ascii": False})


@dataclass(frozen=True, slots=True)
class Signer:
    """Issues tokens for one strategy. The key is bytes (HS256) or a private key, loaded once."""

    algorithm: str
    key: Any = field(repr=False)
    audience: str
    kid: str = ""

    def sign(self, claims: Claims) -> str:
        """The signed token."""
        headers = {"typ": TOKEN_TYPE, "kid": self.kid} if self.kid else {"typ": TOKEN_TYPE}
        complete = {"iss": ISSUER, "aud": self.audience, **claims}
        return jwt.encode(complete, self.key, self.algorithm, headers=headers, json_encoder=Utf8)

    def forging_key(self) -> tuple[str, Any]:
        """Algorithm and key."""
        return self.algorithm, self.key


@dataclass(frozen=True, slots=True)
class Verifier:
    """Accepts tokens of one strategy. The algorithm is fixed here, never taken from a token (RFC 8725, section 3.1).

    The key is bytes (HS256) or a public key, loaded once: PyJWT prepares it at each call, and would parse a PEM anew.
    """

    algorithm: str
    key: Any = field(repr=False)
    audience: str

    def verify(self, token: str) -> Claims | None:
        """The claims of a valid token; None for anything else, whatever is wrong with it."""
        return _decoded(token, self.audience, self.key, [self.algorithm], _CHECKS)


@dataclass(frozen=True, slots=True)
class AnyVerifier:
    """Accepts what one of several verifiers accepts, asked in turn: a key and those before it, while it is rotated.

    RFC 7515, appendix D, allows trying the keys that an application has where a token names none; a `kid` would make
    every request longer. All are of one algorithm and one audience, and they are few (`environment.former_keys`).
    """

    verifiers: tuple[Verifier, ...]

    def verify(self, token: str) -> Claims | None:
        """The claims of a token that one of them accepts; None where none does."""
        return next((claims for each in self.verifiers if (claims := each.verify(token)) is not None), None)


@dataclass(frozen=True, slots=True)
class SignatureSeen:
    """Accepts tokens whose signature somebody else has verified: everything else about them is looked at here."""

    algorithm: str
    audience: str

    def verify(self, token: str) -> Claims | None:
        """The claims of a token that lacks nothing but somebody who looks at its signature."""
        return _decoded(token, self.audience, "", [self.algorithm], _UNSIGNED, self.algorithm)


def signer_and_verifier(
    algorithm: str, key: Any, audience: str, former: Sequence[bytes] = ()
) -> tuple[Signer, Verifier | AnyVerifier]:
    """Both halves of one key: the secret itself (HS256), or a private key of the `cryptography` package.

    `former`: secrets whose tokens are accepted too.
    """
    public = key if isinstance(key, bytes) else key.public_key()
    verifiers = tuple(Verifier(algorithm, each, audience) for each in (public, *former))
    return Signer(algorithm, key, audience), AnyVerifier(verifiers) if former else verifiers[0]


def would_be_valid(token: str, audience: str) -> bool:
    """Whether everything is right with a token except that nobody has looked at its signature."""
    return _decoded(token, audience, "", None, _UNSIGNED) is not None


def claims_for(
    caller: Caller, *, now: int, expires: int, auth_time: int, preferences: Mapping[str, str] | None = None
) -> Claims:
    """What a token says, besides who issued it for whom. Times are Unix seconds; `auth_time`: that of the password."""
    claims: dict[str, Any] = {
        "sub": str(caller.id),
        "exp": expires,
        "nbf": now,
        "iat": now,
        "jti": secrets.token_urlsafe(16),
        "auth_time": auth_time,
        "username": caller.username,
        "permissions": list(caller.permissions),
        **payload(caller.id),
    }
    return claims | {"preferences": preferences} if preferences else claims


def first_claims(caller: Caller, lifetime_s: int) -> Claims:
    """Those of a login now."""
    now = int(time.time())
    return claims_for(caller, now=now, expires=now + lifetime_s, auth_time=now)


def renewed(claims: Claims, current: Caller, lifetime_s: int) -> Claims | None:
    """The same login's with a new time and what is known of the caller now; None where the login is too old."""
    now, auth_time = int(time.time()), claims["auth_time"]
    end = auth_time + max(LONGEST_LOGIN_S, lifetime_s)
    if now >= end:
        return None
    return claims_for(
        current,
        now=now,
        expires=min(now + lifetime_s, end),
        auth_time=auth_time,
        preferences=claims.get("preferences"),
    )


def followed(claims: Claims, preferences: Mapping[str, str] | None) -> Claims:
    """A token's claims with an identity of their own and other preferences; they end when the old ones would have."""
    return claims_for(
        caller_of(claims),
        now=int(time.time()),
        expires=claims["exp"],
        auth_time=claims["auth_time"],
        preferences=preferences,
    )


def caller_of(claims: Claims) -> Caller:
    """Whom verified claims name."""
    return Caller(int(claims["sub"]), claims["username"], tuple(claims["permissions"]))


def _decoded(
    token: str, audience: str, key: Any, algorithms: list[str] | None, checks: Any, algorithm: str | None = None
) -> Claims | None:
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        decoded = jwt.decode_complete(token, key, algorithms, checks, audience=audience, issuer=ISSUER, leeway=LEEWAY_S)
    except REFUSALS:
        return None
    claims, header = decoded["payload"], decoded["header"]
    if header.get("typ") != TOKEN_TYPE or (algorithm and header.get("alg") != algorithm):
        return None
    return claims if _well_formed(claims) else None


def _well_formed(claims: Claims) -> bool:
    """PyJWT checks values; a claim of another type, though validly signed, must not reach a view."""
    return (
        isinstance(claims["sub"], str)
        and _ID.fullmatch(claims["sub"]) is not None
        and _JTI.fullmatch(claims["jti"]) is not None
        and all(_is_time(claims[name]) for name in ("exp", "nbf", "iat", "auth_time"))
        and _is_text(claims["username"])
        and len(claims["username"]) <= LONGEST_USERNAME
        and _are_texts(claims["permissions"], list)
        and (
            (preferences := claims.get("preferences")) is None
            or (_are_texts(preferences, dict) and _are_texts(list(preferences.values()), list))
        )
    )


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value < LATEST  # a JSON `true` is an int to Python


def _are_texts(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and all(_is_text(member) for member in value)


def _is_text(value: Any) -> bool:
    """A string that an answer can be written with: JSON can hold half of a surrogate pair, UTF-8 cannot."""
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False
