"""Access tokens: signed JSON (RFC 7519) with HMAC-SHA-256, issued and verified with PyJWT."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import jwt

from apps.contract.endpoints import Caller

ALGORITHM = "HS256"  # fixed here, never taken from a token (RFC 8725, section 3.1)
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068; no other kind of token passes for an access token (RFC 8725, section 3.11)
ISSUER = "authbench-shop"
AUDIENCE = "authbench-shop-api"
LEEWAY_S = 0  # all replicas read one clock here; where they do not, a few seconds let NTP's error pass
LONGEST_TOKEN = 8 * 1024  # characters; looked at before anything is decoded
REQUIRED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "username", "permissions")

Claims = Mapping[str, Any]
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)  # fits PostgreSQL's bigint
_CHECKS: Any = {"require": list(REQUIRED), "strict_aud": True}


def claims_for(
    caller: Caller, *, now: int, expires: int, auth_time: int, preferences: Mapping[str, str] | None = None
) -> Claims:
    """What a token says. Times are Unix seconds; `auth_time` is when the password was checked."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": str(caller.id),
        "aud": AUDIENCE,
        "exp": expires,
        "nbf": now,
        "iat": now,
        "jti": secrets.token_urlsafe(16),
        "auth_time": auth_time,
        "username": caller.username,
        "permissions": list(caller.permissions),
    }
    return claims | {"preferences": preferences} if preferences else claims


def issue(claims: Claims, key: bytes) -> str:
    """The signed token."""
    return jwt.encode(dict(claims), key, ALGORITHM, headers={"typ": TOKEN_TYPE})


def verify(token: str, key: bytes) -> Claims | None:
    """The claims of a valid token; None for anything else, whatever is wrong with it."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        decoded = jwt.decode_complete(
            token, key, [ALGORITHM], _CHECKS, audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY_S
        )
    except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
        return None
    claims = decoded["payload"]
    return claims if decoded["header"].get("typ") == TOKEN_TYPE and _well_formed(claims) else None


def caller_of(claims: Claims) -> Caller:
    """Whom verified claims name."""
    return Caller(int(claims["sub"]), claims["username"], tuple(claims["permissions"]))


def _well_formed(claims: Claims) -> bool:
    """PyJWT checks values; a claim of another type, though validly signed, must not reach a view."""
    return (
        isinstance(claims["sub"], str)
        and _ID.fullmatch(claims["sub"]) is not None
        and type(claims["exp"]) is type(claims["nbf"]) is type(claims["iat"]) is type(claims["auth_time"]) is int
        and isinstance(claims["username"], str)
        and _strings(claims["permissions"], list)
        and (
            (preferences := claims.get("preferences")) is None
            or (_strings(preferences, dict) and _strings(list(preferences.values()), list))
        )
    )


def _strings(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and all(isinstance(member, str) for member in value)
