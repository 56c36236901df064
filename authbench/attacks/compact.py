"""Tokens by hand: JWS in their compact form (RFC 7515), taken apart and put together without any of its rules."""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token that a server has issued."""

    text: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def head(self) -> str:
        """Header and payload as they stand in the token."""
        return self.text.rpartition(".")[0]

    @property
    def payload(self) -> str:
        """The middle part."""
        return self.text.split(".")[1]

    @property
    def signature(self) -> bytes:
        """The third part, decoded."""
        return decoded(self.text.rpartition(".")[2])

    @property
    def algorithm(self) -> str:
        """As its header says."""
        return str(self.header.get("alg"))

    def claiming(self, **changed: Any) -> dict[str, Any]:
        """Its claims with others in place, and an identity of its own, so that no token is the same as another."""
        claims = dict(self.claims)
        if isinstance(jti := claims.get("jti"), str):
            half = len(jti) // 2
            drawn = secrets.token_hex(half) if _HEX.fullmatch(jti) else secrets.token_urlsafe(len(jti))
            claims["jti"] = drawn[: len(jti)]
        return {**claims, **changed}


def parsed(text: str) -> Jwt | None:
    """The JWT that a text is; None for anything else."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(decoded(part)) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or "alg" not in header or not isinstance(claims, dict):
        return None
    return Jwt(text, header, claims)


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def part(value: Any) -> str:
    """Header or payload: any JSON value, or bytes as they are."""
    return encoded(value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


def mac(head: str, key: bytes, algorithm: str = "HS256") -> str:
    """The text with an HMAC of that key, whatever its header says."""
    return f"{head}.{encoded(hmac.digest(key, head.encode(), f'sha{algorithm[-3:]}'))}"
