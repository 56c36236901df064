"""Django REST framework's own tokens: one a user, shared by all logins, in clear text, without an end."""

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from rest_framework.authtoken.models import Token

from apps.strategies._authenticator import Members
from apps.strategies._drf import DrfStored

if TYPE_CHECKING:
    from apps.shop.models import User


class DrfToken(DrfStored):
    """The user's token, which the first login makes and every later one is given again."""

    def _at_login(self, user: "User") -> Members:
        return _answer(Token.objects.get_or_create(user=user)[0])

    def _issue(self, user: "User") -> Members:
        return _answer(Token.objects.create(user=user))

    def _tokens_of(self, user: "User") -> QuerySet:
        return Token.objects.filter(user=user)


def _answer(token: Token) -> Members:
    return {"access_token": token.key, "token_type": "Token"}
