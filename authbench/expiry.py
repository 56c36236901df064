"""When the first of some minted credentials expires, from what they say themselves or from the shop's settings."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

from apps.contract.registry import Carrier

SESSION_AGE_S = 12 * 3600.0  # SESSION_COOKIE_AGE of apps/shop/settings.py, which this must not import


def first_expiry(rows: Iterable[Mapping[str, Any]], carrier: Carrier, minted_at: float) -> float | None:
    """Unix time at which the first credential in use expires; None where none of them ever does.

    `rows` are minted users, `minted_at` a time before any of them was minted. A token says when it ends (RFC 7519,
    `exp`); a session lasts as long as the settings let it.
    """
    if carrier == "none":
        return None
    ends = [_expiry(secret, carrier, minted_at) for row in rows for secret in _in_use(row["credential"], carrier)]
    return min((end for end in ends if end is not None), default=None)


def token_expiry(token: str) -> float | None:
    """`exp` of a JWT, unverified; None where it has none, or is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    expires = claims.get("exp") if isinstance(claims, dict) else None
    return float(expires) if isinstance(expires, int | float) else None


def _in_use(credential: Mapping[str, Any], carrier: Carrier) -> Iterable[str]:
    """The secret texts that are sent with every request: not a refresh token."""
    if carrier == "cookie":
        return [str(value) for value in credential["cookies"].values()]
    return [str(credential["access_token" if carrier == "bearer" else "state"])]


def _expiry(secret: str, carrier: Carrier, minted_at: float) -> float | None:
    told = token_expiry(secret)
    # An opaque bearer token may live for ever; a session, on the page or behind a cookie, does not.
    return told if told is not None or carrier == "bearer" else minted_at + SESSION_AGE_S
