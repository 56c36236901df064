"""django-rest-knox's tokens: one a login, only their hashes in the database, each with an end."""

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from knox.models import AuthToken
from knox.settings import knox_settings

from apps.strategies._authenticator import Members
from apps.strategies._drf import DrfStored

if TYPE_CHECKING:
    from apps.shop.models import User


class DrfKnox(DrfStored):
    """A token of 256 random bits a login, found by its first characters and known by its hash."""

    def _issue(self, user: "User") -> Members:
        _, token = AuthToken.objects.create(user)
        lifetime = int(knox_settings.TOKEN_TTL.total_seconds())
        return {"access_token": token, "token_type": knox_settings.AUTH_HEADER_PREFIX, "expires_in": lifetime}

    def _tokens_of(self, user: "User") -> QuerySet:
        return AuthToken.objects.filter(user=user)
