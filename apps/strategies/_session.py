"""Logins kept in a Django session, whatever its engine: with the user row read on every request, or never."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.strategies._authenticator import Members
from apps.strategies._payload import payload
from apps.strategies._user_row import active_user

if TYPE_CHECKING:
    from apps.shop.models import User

PREFERENCES = "preferences"
CLAIMS = "caller"


class _Session:
    """What both kinds share. SessionMiddleware loads the session on first use and saves it when it was changed."""

    vary = "Cookie"

    def challenge(self, request: HttpRequest) -> str:  # noqa: ARG002
        """No scheme is registered for cookies; this one is draft-broyer-http-cookie-auth's."""
        return f'Cookie realm="shop", cookie-name="{settings.SESSION_COOKIE_NAME}"'

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:
        """From the session."""
        return request.session.get(PREFERENCES, {})

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """Into the session."""
        request.session[PREFERENCES] = preferences
        return {}

    def establish(self, request: HttpRequest, user: "User") -> Members:
        raise NotImplementedError

    def authenticate(self, request: HttpRequest) -> Caller | None:
        raise NotImplementedError

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whoever is authenticated."""
        return self.authenticate(request)

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """A session of its own for the user."""
        return user.caller, {"cookies": {settings.SESSION_COOKIE_NAME: self._stored(user).session_key}}

    def _stored(self, user: "User") -> Any:
        """The session of a login of the user, in its store."""
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore()
        # `establish` changes the key of a session that exists; this one is first stored below, by `save`, which draws a
        # random key of 165 bits. Asking whether that is taken is left to the store, which refuses to create it twice.
        request.session.cycle_key = lambda: None
        request.session.exists = lambda key: False  # noqa: ARG005
        self.establish(request, user)
        request.session.save()
        return request.session


class SessionRow(_Session):
    """Django's own: AuthenticationMiddleware reads the user row and checks the session's hash of the password."""

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """`django.contrib.auth.login`: changes the key, so that none planted before the login is worth anything."""
        login(request, user)
        request.session.update(payload(user.pk))
        return {}

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """The user that the middleware found."""
        user = request.user
        return user.caller if user.is_authenticated else None

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A new key and a new age; the row was read just now."""
        request.session.cycle_key()
        return caller, {}

    def end(self, request: HttpRequest) -> None:
        """`django.contrib.auth.logout`: deletes the session."""
        logout(request)


class SessionClaims(_Session):
    """The session holds id, username and permissions; the user row is read at login and refresh only."""

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """What `django.contrib.auth.login` does, with claims instead of a reference to the row."""
        held = request.session.get(CLAIMS)
        if held and held["id"] != user.pk:
            request.session.flush()  # another user's data must not pass to this one
        else:
            request.session.cycle_key()
        self._write(request, user.caller)
        user_logged_in.send(sender=type(user), request=request, user=user)
        return {}

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the session names."""
        held = request.session.get(CLAIMS)
        return Caller(held["id"], held["username"], tuple(held["permissions"])) if held else None

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A new key, and claims read anew: an old permission lasts at most as long as one session."""
        user = active_user(caller.id)
        if user is None:
            request.session.flush()
            return None
        request.session.cycle_key()
        self._write(request, user.caller)
        return user.caller, {}

    def end(self, request: HttpRequest) -> None:
        """Deletes the session."""
        user_logged_out.send(sender=None, request=request, user=None)
        request.session.flush()

    def _write(self, request: HttpRequest, caller: Caller) -> None:
        request.session[CLAIMS] = {
            "id": caller.id,
            "username": caller.username,
            "permissions": list(caller.permissions),
        }
        request.session.update(payload(caller.id))
