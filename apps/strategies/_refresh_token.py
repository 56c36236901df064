"""Refresh tokens: where the family's row is, which of its tokens this is, and 256 random bits that prove it."""

import base64
import binascii
import re
import secrets
import uuid
from dataclasses import dataclass, field
from hashlib import sha256

SECRET_BYTES = 32
GENERATION_BYTES = 4
LAST_GENERATION = 2**31 - 1  # PostgreSQL's integer
_TEXT = re.compile(r"[A-Za-z0-9_-]{70}", re.ASCII)  # 16 + 4 + 32 bytes in base64url
_FAMILY = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token; the database has the hash of its secret and nothing to make it from."""

    family: uuid.UUID
    generation: int
    secret: bytes = field(repr=False)

    @classmethod
    def draw(cls, family: uuid.UUID, generation: int) -> "RefreshToken":
        """A new one."""
        return cls(family, generation, secrets.token_bytes(SECRET_BYTES))

    @property
    def text(self) -> str:
        """As clients hold it: base64url without padding."""
        return _encoded(self.family.bytes + self.generation.to_bytes(GENERATION_BYTES, "big") + self.secret)

    @property
    def digest(self) -> bytes:
        """What the row keeps: unsalted, since 256 random bits cannot be guessed."""
        return sha256(self.secret).digest()


def parsed(text: object) -> RefreshToken | None:
    """The token that `text` was; None for anything of another form."""
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "==")
    except binascii.Error:
        return None
    generation = int.from_bytes(raw[16 : 16 + GENERATION_BYTES], "big")
    if generation > LAST_GENERATION:
        return None
    return RefreshToken(uuid.UUID(bytes=raw[:16]), generation, raw[16 + GENERATION_BYTES :])


def named(family: uuid.UUID) -> str:
    """A family as a claim names it: 22 characters."""
    return _encoded(family.bytes)


def is_family(text: object) -> bool:
    """Whether a claim has the form of a family's name."""
    return isinstance(text, str) and _FAMILY.fullmatch(text) is not None


def family_named(text: str) -> uuid.UUID:
    """The family that a claim of that form names."""
    return uuid.UUID(bytes=base64.urlsafe_b64decode(text + "=="))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
