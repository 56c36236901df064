"""What djangorestframework-simplejwt needs to know a caller without the user row: claims of ours, written and read."""

import re
from typing import TYPE_CHECKING, Any

from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer

from apps.contract.endpoints import Caller

if TYPE_CHECKING:
    from rest_framework_simplejwt.tokens import Token

    from apps.shop.models import User

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)  # fits PostgreSQL's bigint
_NAME = re.compile(r"[^\0\ud800-\udfff]{1,150}")  # as long as Django's, and an answer's UTF-8 can hold it


class ClaimsSerializer(TokenObtainPairSerializer):
    """The package's documented place for claims of one's own; the access token gets those of the refresh token."""

    @classmethod
    def get_token(cls, user: "User") -> "Token":
        """A refresh token with username and permissions."""
        token = super().get_token(user)
        token["username"], token["permissions"] = user.username, list(user.granted)
        return token


class ClaimsUser(TokenUser):
    """The package's user without a row; it takes any claim for an id, a name or permissions."""

    @property
    def caller(self) -> Caller:
        """The user as the contract names a caller. Raises InvalidToken for claims that are not of this shape."""
        permissions = self.token.get("permissions")
        if not (
            _matches(_ID, self.id)
            and _matches(_NAME, self.username)
            and isinstance(permissions, list)
            and all(_matches(_NAME, permission) for permission in permissions)
        ):
            raise InvalidToken
        return Caller(int(self.id), self.username, tuple(permissions))


def _matches(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
