"""The one seam between endpoints and strategies."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from apps.contract.endpoints import Caller

if TYPE_CHECKING:  # models can be imported only after settings are ready
    from apps.shop.models import User

# Members that an answer's body gains, such as a bearer token.
Members = Mapping[str, Any]


class KeepsNoStateError(Exception):
    """The strategy has nowhere to keep preferences."""


class Authenticator(Protocol):
    """How one strategy starts, recognises, renews and ends a login."""

    vary: str  # the request header that identity is read from; empty where there is none

    def challenge(self, request: HttpRequest) -> str:
        """The value of `WWW-Authenticate` for a refused request."""
        ...

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """Starts a login of a user whose password was right."""
        ...

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Who sent the request; None where it carries no valid credential. A store's outage raises."""
        ...

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Who asks for a renewal: mostly what `authenticate` says; with a refresh token, whomever that names."""
        ...

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """Replaces the credential of a request that `renewing` has let pass; None where the user must log in again."""
        ...

    def end(self, request: HttpRequest) -> None:
        """Ends the login of an authenticated request."""
        ...

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:
        """What was last kept with the login of an authenticated request."""
        ...

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """Replaces the preferences. Raises KeepsNoStateError."""
        ...

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """A credential as `establish` gives it, without a request: who it says it is, and what a client holds.

        The second is what `apps.contract.credentials.load` reads.
        """
        ...


@cache
def authenticator() -> Authenticator:
    """The authenticator that `settings.AUTHENTICATOR` names, made once a process."""
    return import_string(settings.AUTHENTICATOR)()
