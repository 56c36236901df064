"""drf-jwt, the kept fork of django-rest-framework-jwt: a token that names a user and can be renewed while valid."""

from typing import TYPE_CHECKING, Any

from django.db import DataError
from django.http import HttpRequest
from rest_framework_jwt.authentication import JSONWebTokenAuthentication
from rest_framework_jwt.serializers import RefreshAuthTokenSerializer
from rest_framework_jwt.settings import api_settings

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._drf import Drf

if TYPE_CHECKING:
    from apps.shop.models import User


class DrfJwt(Drf):
    """Tokens as the package's own views make and renew them; the user row is read by username."""

    oddities = (KeyError, TypeError, ValueError, OverflowError, DataError)

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whom the token names that the package's serializer renews: it verifies the token and reads the row itself."""
        return self._refusing(lambda: self._renewing(request))

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """The renewed token. The old one is valid until `exp`."""
        return caller, _answer(request.auth)

    def forging_key(self) -> tuple[str, Any]:
        """Algorithm and key that the package signs with: for `manage.py forge`."""
        return api_settings.JWT_ALGORITHM, api_settings.JWT_SECRET_KEY

    def _renewing(self, request: HttpRequest) -> Caller:
        held = JSONWebTokenAuthentication.get_token_from_request(request)
        serializer = RefreshAuthTokenSerializer(data={"token": held})
        serializer.is_valid(raise_exception=True)
        request.user, request.auth = serializer.validated_data["user"], serializer.validated_data["token"]
        return request.user.caller

    def _issue(self, user: "User") -> Members:
        payload = JSONWebTokenAuthentication.jwt_create_payload(user)
        return _answer(JSONWebTokenAuthentication.jwt_encode_payload(payload))


def _answer(token: str) -> Members:
    return {
        "access_token": token,
        "token_type": api_settings.JWT_AUTH_HEADER_PREFIX,
        "expires_in": int(api_settings.JWT_EXPIRATION_DELTA.total_seconds()),
    }
