"""Opaque access tokens: 256 random bits, known to the server by their SHA-256, one row each."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING

from apps.contract.endpoints import Caller
from apps.contract.tokens import LONGEST_LOGIN_S
from apps.strategies.opaque_tokens.models import AccessToken

if TYPE_CHECKING:
    from apps.shop.models import User

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 32 bytes in base64url
READ = ("user_id", "user__username", "user__granted", "auth_time", "issued", "expires")


@dataclass(frozen=True, slots=True)
class Login:
    """A token's row and its user's, as they were read together. Times are Unix seconds."""

    digest: bytes
    caller: Caller
    auth_time: int
    issued: int
    expires: int


def digest_of(token: str) -> bytes | None:
    """The key of a token's row; None for what cannot be a token. With 256 random bits no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest() if TOKEN.fullmatch(token) else None


def begin(user: "User", lifetime_s: int) -> tuple[str, Login]:
    """A new token and its login, in one statement."""
    token, now = secrets.token_urlsafe(32), int(time())
    login = Login(hashlib.sha256(token.encode()).digest(), user.caller, now, now, now + lifetime_s)
    AccessToken.objects.create(digest=login.digest, user_id=user.pk, auth_time=now, issued=now, expires=login.expires)
    return token, login


def look_up(digest: bytes) -> Login | None:
    """The login of a token that has not expired and whose user is active, in one statement."""
    rows = AccessToken.objects.filter(digest=digest, expires__gt=int(time()), user__is_active=True)
    for user_id, username, granted, auth_time, issued, expires in rows.values_list(*READ):
        return Login(digest, Caller(user_id, username, tuple(granted)), auth_time, issued, expires)
    return None


def replace(login: Login, lifetime_s: int) -> tuple[str, Login] | None:
    """Another token for the login, in one statement: the old one is worth nothing from then on.

    None where the login as a whole is too old, or somebody else has replaced or ended it meanwhile.
    """
    token, now = secrets.token_urlsafe(32), int(time())
    end = login.auth_time + max(LONGEST_LOGIN_S, lifetime_s)
    digest = hashlib.sha256(token.encode()).digest()
    renewed = Login(digest, login.caller, login.auth_time, now, min(now + lifetime_s, end))
    if now >= end:
        return None
    rows = AccessToken.objects.filter(digest=login.digest)
    return (token, renewed) if rows.update(digest=digest, issued=now, expires=renewed.expires) else None


def end(digest: bytes) -> bool:
    """Deletes the row, in one statement; whether it was there."""
    deleted, _ = AccessToken.objects.filter(digest=digest).delete()
    return deleted > 0


def kept_preferences(digest: bytes) -> Mapping[str, str]:
    """What was last kept with the login, in one statement."""
    return next(iter(AccessToken.objects.filter(digest=digest).values_list("preferences", flat=True)), {})


def keep_preferences(digest: bytes, preferences: Mapping[str, str]) -> None:
    """Replaces them, in one statement."""
    AccessToken.objects.filter(digest=digest).update(preferences=dict(preferences))
