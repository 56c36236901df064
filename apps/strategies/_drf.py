"""Logins that Django REST framework recognises: its Request asks the class that REST_FRAMEWORK names, as in APIView."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.settings import api_settings

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._kept_preferences import keep, kept

if TYPE_CHECKING:
    from apps.shop.models import User

Answer = TypeVar("Answer")


class Drf:
    """What all packages share that send a token in the Authorization header. Each says which token, and how it ends."""

    vary = "Authorization"
    # What the package raises where it should refuse; the strategy's page lists the credentials that make it do so.
    oddities: tuple[type[Exception], ...] = ()

    def challenge(self, request: HttpRequest) -> str:
        """The package's own; it is the same whether a token was sent or not."""
        return api_settings.DEFAULT_AUTHENTICATION_CLASSES[0]().authenticate_header(request)

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """A token, as the package's own login view makes it; `last_login` is written as by every strategy."""
        user_logged_in.send(sender=type(user), request=request, user=user)
        return self._at_login(user)

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the package says. Its user and token stay with the request as `user` and `auth`."""
        return self._refusing(lambda: recognised(request))

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whoever is authenticated."""
        return self.authenticate(request)

    def end(self, request: HttpRequest) -> None:
        """Tells Django's listeners; what can be deleted is deleted by the packages that can."""
        user_logged_out.send(sender=type(request.user), request=request, user=request.user)

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:
        """The user's."""
        return kept(request.user.pk)

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """For the user, whose other logins see them too."""
        keep(request.user.pk, preferences)
        return {}

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """The token of a login now."""
        return user.caller, {name: value for name, value in self._issue(user).items() if name != "expires_in"}

    def _at_login(self, user: "User") -> Members:
        return self._issue(user)

    def _issue(self, user: "User") -> Members:
        raise NotImplementedError

    def _refusing(self, ask: Callable[[], Answer | None]) -> Answer | None:
        """What `ask` gives; None where it refuses or stumbles over what was sent. A store's outage is no oddity."""
        try:
            return ask()
        except (APIException, *self.oddities):
            return None


class DrfStored(Drf):
    """A token that stands in a table: deleting its row ends it everywhere."""

    # Text that PostgreSQL cannot keep, such as a NUL, and bytes that are no UTF-8 or no Latin-1.
    oddities = (DataError, UnicodeError)

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A new token in place of the old one. Of requests that renew it at once, one finds it there to delete."""
        with transaction.atomic():
            ended, _ = type(request.auth).objects.filter(pk=request.auth.pk).delete()
            return (caller, self._issue(request.user)) if ended else None

    def end(self, request: HttpRequest) -> None:
        """Deletes the token. Raises SessionInterrupted (401) where another request has replaced or ended it."""
        super().end(request)
        ended, _ = request.auth.delete()
        if not ended:
            raise SessionInterrupted("the token was replaced or ended meanwhile")

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """The user's only token. To ask which there are would be to wait for an answer a user."""
        self._tokens_of(user).delete()
        return super().mint(user)

    def _tokens_of(self, user: "User") -> QuerySet:
        raise NotImplementedError


class _Unread(BaseParser):
    """Leaves the body to the views. DRF would look in it for the CSRF token of a form, and the shop takes no forms."""

    media_type = "*/*"

    def parse(self, *_: Any, **__: Any) -> QueryDict:
        return QueryDict()


def recognised(request: HttpRequest) -> Caller | None:
    """Whom the authentication class names, made anew for each request as APIView does. Raises what the class raises."""
    kinds = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    user = Request(request, parsers=[_Unread()], authenticators=[kind() for kind in kinds]).user
    return user.caller if user.is_authenticated else None
