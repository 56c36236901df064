"""The endpoints, identical for every strategy, and the JSON they answer with.

Both halves import this file: the shop to build its routes and bodies, the bench to know what a right answer is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

VIEW_REPORTS = "view_reports"
REPLICA_HEADER = "X-Replica"
PAGE_STATE_HEADER = "X-Page-State"
EDGE_SECRET_HEADER = "X-Edge-Secret"  # noqa: S105 - proves that the load balancer has authenticated the request
EDGE_CALLER_HEADER = "X-Edge-Caller"  # who that is, where the load balancer has asked for it
ROUTE_COOKIE = "__Host-route"  # names the replica that keeps a login, where the balancer must follow it there
AUTHENTICATION_INFO = "Authentication-Info"  # RFC 9110, 11.6.3: carries the next token of a strategy with one-time ones
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1; TRACE is answered by nobody
RENEWING = frozenset({"refresh", "logout"})  # endpoints that are sent a credential's `renewal`
PROBLEM_JSON = "application/problem+json"  # RFC 9457
# What Django's SecurityMiddleware adds to every answer; the last to answers that went through TLS.
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
TRANSPORT_SECURITY: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}

LISTED_ORDERS = 20
REPORTED_ORDERS = 1000  # the newest: a report over all would cost more than any way to authenticate, and hide it
PRICE_CENTS = 499


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the contract."""

    name: str
    method: str
    path: str
    authenticated: bool
    status: int = 200


ENDPOINTS: Mapping[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("login", "POST", "/api/login", authenticated=False),
        Endpoint("whoami", "GET", "/api/whoami", authenticated=True),
        Endpoint("orders", "GET", "/api/orders", authenticated=True),
        Endpoint("orders-create", "POST", "/api/orders", authenticated=True, status=201),
        Endpoint("reports-sales", "GET", "/api/reports/sales", authenticated=True),
        Endpoint("preferences", "PUT", "/api/preferences", authenticated=True),
        Endpoint("refresh", "POST", "/api/refresh", authenticated=True),
        Endpoint("logout", "POST", "/api/logout", authenticated=True),
        Endpoint("public", "GET", "/api/public", authenticated=False),
        Endpoint("healthz", "GET", "/healthz", authenticated=False),
    )
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: what every authenticator answers and every authenticated view receives."""

    id: int
    username: str
    permissions: tuple[str, ...]  # codenames, sorted


def to_json(value: Any) -> bytes:
    """The one JSON encoding of the contract: UTF-8, no spaces, keys in the order given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def problem_body(status: int, detail: str) -> bytes:
    """A problem document (RFC 9457) of the generic type: status and detail say all there is."""
    return to_json({"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail})


def whoami_body(caller: Caller) -> bytes:
    """The exact body of `GET /api/whoami` and of `POST /api/login` for a caller without a bearer token."""
    return to_json({"id": caller.id, "username": caller.username, "permissions": list(caller.permissions)})


def names_caller(username: str) -> bytes:
    """The bytes that stand in every authenticated 2xx answer to this user and in no answer to another."""
    return b'"username":' + to_json(username)
