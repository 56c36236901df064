"""The control: a fixed caller, no credential, no store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import KeepsNoStateError, Members

if TYPE_CHECKING:
    from apps.shop.models import User

FIRST_USER = Caller(1, "user00001", ())  # as `manage.py seed` makes it


class FixedCaller:
    """Whoever calls is the first seeded user."""

    vary = ""

    def challenge(self, request: HttpRequest) -> str:  # noqa: ARG002
        """RFC 9110 demands a challenge with a 401; only a wrong password gets one here."""
        return 'Login realm="shop"'

    def establish(self, request: HttpRequest, user: "User") -> Members:  # noqa: ARG002
        """Nothing to start."""
        return {}

    def authenticate(self, request: HttpRequest) -> Caller | None:  # noqa: ARG002
        """The first seeded user, from a constant."""
        return FIRST_USER

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whoever is authenticated."""
        return self.authenticate(request)

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:  # noqa: ARG002
        """Nothing to renew."""
        return caller, {}

    def end(self, request: HttpRequest) -> None:
        """Nothing to end."""

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:  # noqa: ARG002
        """None were ever kept."""
        return {}

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:  # noqa: ARG002
        """Refuses."""
        raise KeepsNoStateError

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:  # noqa: ARG002
        """An empty credential, whoever it is for: the caller is fixed."""
        return FIRST_USER, {}
