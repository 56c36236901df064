"""How each strategy's credential travels, in OpenAPI's terms; tests/security/test_schema.py compares what is sent."""

from collections.abc import Mapping
from typing import Any

from apps.contract.credentials import CSRF_COOKIE, CSRF_HEADER
from apps.contract.endpoints import PAGE_STATE_HEADER, ROUTE_COOKIE, SAFE_METHODS, Endpoint
from apps.contract.registry import STRATEGIES_PACKAGE, Strategy, strategies

Requirement = dict[str, list[str]]


def _cookie(name: str, said: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "cookie", "name": name, "description": said}


def _header(name: str, said: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": name, "description": said}


SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "RFC 6750; in the header only."},
    "token": _header("Authorization", "`Token …`: the scheme of Django REST framework's own tokens."),
    "session": _cookie("__Host-sessionid", "Django's session cookie."),
    "tokenCookie": _cookie("__Host-token", "A token in a cookie that no script can read."),
    "route": _cookie(ROUTE_COOKIE, "Names the replica that keeps the login."),
    "csrfCookie": _cookie(CSRF_COOKIE, "Django's CSRF cookie; for unsafe methods."),
    "csrfHeader": _header(CSRF_HEADER, "Repeats the CSRF cookie; for unsafe methods."),
    "pageState": _header(PAGE_STATE_HEADER, "Signed state out of the last answer's `state`."),
}
BY_CARRIER: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "bearer": ("bearer",),
    "cookie": ("session",),
    "page": ("pageState",),
}
# What differs from the carrier's usual way.
OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "jwt-cookie": ("tokenCookie",),
    "session-locmem": ("session", "route"),
    "drf-session": ("session", "csrfCookie", "csrfHeader"),
    "drf-token": ("token",),
    "drf-knox": ("token",),
}
UNSAFE_ONLY = frozenset({"csrfCookie", "csrfHeader"})


def own() -> list[Strategy]:
    """The repository's strategies: the document shall not depend on what else is installed."""
    return [each for each in strategies().values() if each.settings.startswith(f"{STRATEGIES_PACKAGE}.")]


def schemes_of(strategy: Strategy) -> tuple[str, ...]:
    """Names in SCHEMES that a request with the strategy's credential fulfils together."""
    return OTHERWISE.get(strategy.name, BY_CARRIER[strategy.carrier])


def requirement(strategy: Strategy, endpoint: Endpoint) -> Requirement:
    """What the strategy asks of a request to that endpoint; empty where it asks nothing."""
    if not endpoint.authenticated:
        return {}
    safe = endpoint.method in SAFE_METHODS
    return {name: [] for name in schemes_of(strategy) if not (safe and name in UNSAFE_ONLY)}


def requirements(endpoint: Endpoint) -> list[Requirement]:
    """Every way to be let in, each once; the control, which asks nothing, is none. No authentication: nothing asked."""
    found: list[Requirement] = []
    for strategy in own():
        asked = requirement(strategy, endpoint)
        if asked not in found and (asked or not endpoint.authenticated):
            found.append(asked)
    if endpoint.name == "refresh":
        found.append({})  # a refresh token in the body is enough
    return sorted(found, key=lambda each: (len(each), list(each)))


def by_strategy() -> dict[str, Any]:
    """Strategy -> carrier and schemes, for the document's `x-strategies`."""
    return {each.name: {"carrier": each.carrier, "schemes": list(schemes_of(each))} for each in own()}
