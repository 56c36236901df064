"""What every strategy with opaque tokens does alike: begins, renews and ends a login in the token table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.strategies import _opaque
from apps.strategies._authenticator import Members
from apps.strategies._bearer import bearer_challenge, token_answer
from apps.strategies._opaque import Login

if TYPE_CHECKING:
    from apps.shop.models import User


class OpaqueLogin:
    """The replica writes the rows; `recognise` says how it learns what stands in them."""

    vary = "Authorization"

    def __init__(self) -> None:
        self._lifetime_s: int = settings.ACCESS_TOKEN_LIFETIME_S

    def recognise(self, request: HttpRequest) -> Login | None:
        """The login of the request's token; None where there is none. An outage raises."""
        raise NotImplementedError

    def began(self, login: Login) -> None:
        """Told of every login that got a token here."""

    def ended(self, login: Login) -> None:
        """Told of every login whose token is worth nothing any more."""

    def challenge(self, request: HttpRequest) -> str:
        """RFC 6750's."""
        return bearer_challenge(request)

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """A new row."""
        user_logged_in.send(sender=type(user), request=request, user=user)
        return self._begin(user)

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the token's row names. The login stays with the request, for preferences, refresh and logout."""
        request.login = self.recognise(request)
        return request.login.caller if request.login else None

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whoever is authenticated."""
        return self.authenticate(request)

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A new token in the same row, until the login as a whole is too old; of parallel renewals one wins."""
        replaced = _opaque.replace(request.login, self._lifetime_s)
        if replaced is None:
            return None
        self.ended(request.login)
        return caller, self._members(*replaced)

    def end(self, request: HttpRequest) -> None:
        """Deletes the row. Raises SessionInterrupted (401) where another request has replaced or ended the token."""
        user_logged_out.send(sender=None, request=request, user=None)
        ended = _opaque.end(request.login.digest)
        self.ended(request.login)
        if not ended:
            raise SessionInterrupted("the token was replaced or ended meanwhile")

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:
        """From the row."""
        return _opaque.kept_preferences(request.login.digest)

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """Into the row."""
        _opaque.keep_preferences(request.login.digest, preferences)
        return {}

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """The token of a login now."""
        return user.caller, {"access_token": self._begin(user)["access_token"]}

    def _begin(self, user: "User") -> Members:
        return self._members(*_opaque.begin(user, self._lifetime_s))

    def _members(self, token: str, login: Login) -> Members:
        self.began(login)
        return token_answer(token, login.expires - login.issued)
