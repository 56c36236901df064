"""djangorestframework-simplejwt: an access token, and a refresh token that is replaced at each use."""

import json
from typing import TYPE_CHECKING, Any

from django.db import DataError
from django.http import HttpRequest
from django.utils.module_loading import import_string
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._drf import Drf

if TYPE_CHECKING:
    from apps.shop.models import User


class DrfSimpleJwt(Drf):
    """Tokens as the serializer makes them that TOKEN_OBTAIN_SERIALIZER names, with the claims that it gives them."""

    oddities = (TokenError, TypeError, ValueError, KeyError, OverflowError, OSError, DataError)

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whom the refresh token in the body names, as the package reads the user row; no access token is asked for."""
        return self._refusing(lambda: self._renewing(request))

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A new pair, from the row; the refresh token ends. Of requests that use one at once, one gets the pair."""
        ended = self._refusing(request.auth.blacklist)
        return (caller, self._issue(request.user)) if ended and ended[1] else None

    def end(self, request: HttpRequest) -> None:
        """Ends the refresh token in the body. The access token is valid until `exp`."""
        super().end(request)
        self._refusing(lambda: RefreshToken(_sent_refresh_token(request)).blacklist())

    def forging_key(self) -> tuple[str, Any]:
        """Algorithm and key that the package signs with: for `manage.py forge`."""
        return api_settings.ALGORITHM, api_settings.SIGNING_KEY

    def _renewing(self, request: HttpRequest) -> Caller:
        request.auth = RefreshToken(_sent_refresh_token(request))
        # Of the stateless strategy too: whether the user may still log in is the row's to say.
        request.user = JWTAuthentication().get_user(request.auth)
        return request.user.caller

    def _issue(self, user: "User") -> Members:
        refresh = import_string(api_settings.TOKEN_OBTAIN_SERIALIZER).get_token(user)
        return {
            "access_token": str(refresh.access_token),
            "token_type": api_settings.AUTH_HEADER_TYPES[0],
            "expires_in": int(api_settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
            "refresh_token": str(refresh),
        }


def _sent_refresh_token(request: HttpRequest) -> str:
    """The body's `refresh_token`; empty, which no token is, where there is none."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return ""
    token = body.get("refresh_token") if isinstance(body, dict) else None
    return token if isinstance(token, str) else ""
