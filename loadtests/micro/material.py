"""What every library signs and verifies: the same claims, each token another, and one key an algorithm."""

import base64
import itertools
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from apps.contract.tokens import ISSUER, TOKEN_TYPE, audience_of

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
AUDIENCE = audience_of("jwt-hs256")
LIFETIME_S = 12 * 3600
POOL = 512  # tokens that are handed out in turn: none is verified twice before all the others were
HEADER = {"typ": TOKEN_TYPE}
Claims = dict[str, Any]
_ENCODER = json.JSONEncoder(
    separators=(",", ":")
)  # made once: `json.dumps` makes one a call for separators of one's own


@dataclass(frozen=True, slots=True)
class Key:
    """One algorithm's key, in the forms that libraries take. Symmetric: both PEMs are empty."""

    algorithm: str
    private: Any = field(repr=False)  # bytes, or an object of `cryptography`
    public: Any = field(repr=False)
    private_pem: bytes = field(repr=False)
    public_pem: bytes = field(repr=False)

    @property
    def symmetric(self) -> bool:
        """Whether one secret does both."""
        return isinstance(self.private, bytes)


@cache
def key(algorithm: str) -> Key:
    """A random key, the same for everything in this process."""
    if algorithm == "HS256":
        secret = secrets.token_bytes(48)
        return Key(algorithm, secret, secret, b"", b"")
    made: Any = {
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }[algorithm]()
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = made.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    public = made.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(algorithm, made, made.public_key(), private, public)


def claims(number: int) -> Claims:
    """What the shop's tokens say, of another user each."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(1 + number),
        "exp": now + LIFETIME_S,
        "nbf": now,
        "iat": now,
        "jti": secrets.token_urlsafe(16),
        "auth_time": now,
        "username": f"user{1 + number:05d}",
        "permissions": ["view_reports"],
    }


def all_claims() -> Sequence[Claims]:
    """One set a token."""
    return [claims(number) for number in range(POOL)]


def endless(items: Sequence[Any]) -> Iterator[Any]:
    """All of them, again and again."""
    return itertools.cycle(items)


def encoded(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decoded(data: bytes) -> bytes:
    """Its inverse. Raises binascii.Error (a ValueError)."""
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def compact(value: object) -> bytes:
    """JSON without spaces."""
    return _ENCODER.encode(value).encode()
