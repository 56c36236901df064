"""Who may call a view: two decorators, the same for every strategy."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import Caller
from apps.shop.problems import problem, unauthenticated
from apps.strategies._authenticator import Authenticator, authenticator

View = Callable[[HttpRequest], HttpResponse]
CallerView = Callable[[HttpRequest, Caller], HttpResponse]


def authenticated(view: CallerView) -> View:
    """Gives the view its caller, or answers 401."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        strategy = authenticator()
        return _guarded(request, strategy, strategy.authenticate(request), view)

    return guarded


def renewing(view: CallerView) -> View:
    """The same for whoever may renew the login: with a refresh token, that is more than who may call other views."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        strategy = authenticator()
        return _guarded(request, strategy, strategy.renewing(request), view)

    return guarded


def permitted(permission: str) -> Callable[[CallerView], CallerView]:
    """Answers 403 to callers without the permission."""

    def guard(view: CallerView) -> CallerView:
        @wraps(view)
        def guarded(request: HttpRequest, caller: Caller) -> HttpResponse:
            if permission not in caller.permissions:
                return problem(403, f"needs the permission {permission}")
            return view(request, caller)

        return guarded

    return guard


def _guarded(request: HttpRequest, strategy: Authenticator, caller: Caller | None, view: CallerView) -> HttpResponse:
    if caller is None:
        return unauthenticated(request)
    response = view(request, caller)
    if strategy.vary:
        response.headers["Vary"] = strategy.vary
    return response
