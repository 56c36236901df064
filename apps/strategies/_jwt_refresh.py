"""Short access tokens, and refresh tokens that work once: one of a family that was used before ends the family."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from apps.contract.endpoints import Caller
from apps.contract.tokens import LONGEST_LOGIN_S
from apps.strategies._authenticator import Members
from apps.strategies._jwt import JwtClaims
from apps.strategies._refresh_token import RefreshToken, family_named, is_family, named, parsed
from apps.strategies._tokens import Claims, claims_for, followed
from apps.strategies.families.models import Family

if TYPE_CHECKING:
    from apps.shop.models import User

SESSION = "sid"  # the claim that names the family, so that a logout ends it


class JwtRefresh(JwtClaims):
    """The access token says who calls; the family's row says how long the login goes on (RFC 9700, section 4.14.2)."""

    def __init__(self) -> None:
        super().__init__()
        self._grace = timedelta(seconds=settings.REFRESH_GRACE_S)

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """A family, its first refresh token, and an access token."""
        user_logged_in.send(sender=type(user), request=request, user=user)
        family, token = self._begun(user)
        return {**self._give(request, self._claims(family, user.caller)), "refresh_token": token.text}

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """Both tokens of a login now."""
        family, token = self._begun(user)
        access = self._signer.sign(self._claims(family, user.caller))
        return user.caller, {"access_token": access, "refresh_token": token.text}

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whom the refresh token in the body stands for, whatever access token comes with it: one statement."""
        token = _presented(request)
        family = Family.objects.select_related("user").filter(pk=token.family).first() if token else None
        if token is None or family is None or family.revoked or family.ends <= datetime.now(UTC):
            return None
        if token.generation < family.generation:
            self._used_again(token)
            return None
        if token.generation > family.generation or not compare_digest(token.digest, bytes(family.current)):
            return None
        request.family, request.refresh_token = family, token
        return family.user.caller if family.user.is_active else None

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """The next refresh token, and an access token from the user row; a conditional UPDATE lets one request win."""
        family: Family = request.family
        token = RefreshToken.draw(family.pk, family.generation + 1)
        used = {"pk": family.pk, "generation": family.generation, "current": family.current, "revoked": False}
        won = Family.objects.filter(**used).update(
            generation=token.generation, current=token.digest, rotated=datetime.now(UTC)
        )
        if not won:  # somebody came first with the same token
            self._used_again(request.refresh_token)
            return None
        return caller, {**self._give(request, self._claims(family, caller)), "refresh_token": token.text}

    def end(self, request: HttpRequest) -> None:
        """Ends the family; access tokens are valid until `exp`."""
        Family.objects.filter(pk=family_named(request.claims[SESSION])).update(revoked=True)
        super().end(request)

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """In the family's row, for refreshes, and in a new access token. SessionInterrupted (401) after a logout."""
        session = request.claims[SESSION]
        if not Family.objects.filter(pk=family_named(session), revoked=False).update(preferences=preferences):
            raise SessionInterrupted("the login was ended meanwhile")
        return self._give(request, {**followed(request.claims, preferences), SESSION: session})

    def _caller(self, claims: Claims) -> Caller | None:
        return super()._caller(claims) if is_family(claims.get(SESSION)) else None

    def _begun(self, user: "User") -> tuple[Family, RefreshToken]:
        now = datetime.now(UTC)
        family = Family(user_id=user.pk, auth_time=now, rotated=now)
        family.ends = now + timedelta(seconds=max(LONGEST_LOGIN_S, self._lifetime))
        token = RefreshToken.draw(family.pk, family.generation)
        family.current = token.digest
        family.save(force_insert=True)
        return family, token

    def _claims(self, family: Family, caller: Caller) -> Claims:
        now = int(time.time())
        claims = claims_for(
            caller,
            now=now,
            expires=min(now + self._lifetime, int(family.ends.timestamp())),
            auth_time=int(family.auth_time.timestamp()),
            preferences=family.preferences,
        )
        return {**claims, SESSION: named(family.pk)}

    def _used_again(self, token: RefreshToken) -> None:
        """Two hold the same token, and nobody knows which of them is the thief: neither goes on.

        Within the grace after a rotation the token before counts as a client that asked twice: refused without more.
        """
        families = Family.objects.filter(pk=token.family)
        if self._grace:
            recently = datetime.now(UTC) - self._grace
            families = families.exclude(generation=token.generation + 1, rotated__gt=recently)
        families.update(revoked=True)


def _presented(request: HttpRequest) -> RefreshToken | None:
    if request.content_type != "application/json":
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError, RequestDataTooBig, UnreadablePostError):
        return None
    return parsed(body.get("refresh_token")) if isinstance(body, dict) else None
