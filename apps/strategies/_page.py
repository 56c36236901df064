"""Logins carried in the page: signed state that every answer hands out and every request brings back."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from apps.contract.endpoints import PAGE_STATE_HEADER, SAFE_METHODS, Caller
from apps.contract.tokens import LONGEST_LOGIN_S
from apps.shop.bodies import FORM
from apps.strategies._authenticator import Members
from apps.strategies._page_state import Seal, State, caller_of, stated
from apps.strategies._user_row import active_user

if TYPE_CHECKING:
    from apps.shop.models import User

FIELD = "state"
META = f"HTTP_{PAGE_STATE_HEADER.upper().replace('-', '_')}"


class PageClaims:
    """The state says who calls and what they prefer; no store is asked."""

    vary = PAGE_STATE_HEADER

    def __init__(self) -> None:
        self._seal = Seal(settings.STRATEGY_NAME, settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)
        self._lifetime: int = settings.SESSION_COOKIE_AGE

    def challenge(self, request: HttpRequest) -> str:  # noqa: ARG002
        """RFC 9110 demands a challenge with a 401; no scheme is registered for this."""
        return f'PageState realm="shop", header="{PAGE_STATE_HEADER}"'

    def establish(self, request: HttpRequest, user: "User") -> Members:
        """A state with the claims of the user row that the password was checked against."""
        user_logged_in.send(sender=type(user), request=request, user=user)
        return self._first(user)

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the state names. It stays with the request, for preferences and renewal."""
        state = self._seal.verify(_sent(request), time.time())
        if state is None:
            return None
        request.page_state = state
        return caller_of(state)

    def renewing(self, request: HttpRequest) -> Caller | None:
        """Whoever is authenticated."""
        return self.authenticate(request)

    def renew(self, request: HttpRequest, caller: Caller) -> tuple[Caller, Members] | None:
        """A state from the user row with an end of its own, until the login as a whole is too old."""
        state, now = request.page_state, int(time.time())
        last = state["login"] + max(LONGEST_LOGIN_S, self._lifetime)
        user = active_user(caller.id)
        if user is None or now >= last:
            return None
        end = min(now + self._lifetime, last)
        return user.caller, self._answer(user.caller, state["login"], end, state["preferences"])

    def end(self, request: HttpRequest) -> None:
        """Nothing can be taken back: the page forgets the state, and every copy is valid until its end."""
        user_logged_out.send(sender=None, request=request, user=None)

    def preferences(self, request: HttpRequest) -> Mapping[str, str]:
        """From the state."""
        return request.page_state["preferences"]

    def keep_preferences(self, request: HttpRequest, preferences: Mapping[str, str]) -> Members:
        """A state beside the old one, with the same end."""
        state: State = request.page_state
        return self._answer(caller_of(state), state["login"], state["end"], preferences)

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """The state of a login now."""
        return user.caller, self._first(user)

    def _first(self, user: "User") -> Members:
        now = int(time.time())
        return self._answer(user.caller, now, now + self._lifetime, {})

    def _answer(self, caller: Caller, login: int, end: int, preferences: Mapping[str, str]) -> Members:
        return {FIELD: self._seal.issue(stated(caller, login=login, end=end, preferences=preferences))}


def _sent(request: HttpRequest) -> str:
    """The state of the header, else of a posted form's field; empty where there is none. Never from an address."""
    if state := request.META.get(META, ""):
        return state
    if request.method in SAFE_METHODS or request.content_type != FORM:
        return ""
    try:
        return request.POST.get(FIELD, "")
    except UnreadablePostError:
        return ""
