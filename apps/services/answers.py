"""The contract's answers without a framework: JSON bodies, problem documents, and the headers of every answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from apps.contract.bodies import LARGEST_BODY
from apps.contract.endpoints import (
    ENDPOINTS,
    PROBLEM_JSON,
    REPLICA_HEADER,
    SECURITY_HEADERS,
    TRANSPORT_SECURITY,
    VIEW_REPORTS,
    Caller,
    problem_body,
)

JSON = "application/json"
VARY = {"Vary": "Authorization"}
MOST_PARAMETERS = 1000  # Django's


class Refusal(Exception):  # noqa: N818 - what the server does, not what went wrong
    """Ends a request with a problem document."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers: Mapping[str, str] = {"Content-Type": PROBLEM_JSON, **(headers or {})}
        self.body = problem_body(status, detail)


def unauthenticated(challenge: str, detail: str = "log in first") -> Refusal:
    """401 with the value of `WWW-Authenticate`."""
    return Refusal(401, detail, {"WWW-Authenticate": challenge, **VARY})


def outage() -> Refusal:
    """503: nothing is known about the caller, so nothing is said about the credential."""
    return Refusal(503, "a store does not answer", {"Retry-After": "1"})


def failure() -> Refusal:
    """500: a bug."""
    return Refusal(500, "the server failed")


def too_large() -> Refusal:
    """413."""
    return Refusal(413, "the body is too large")


def check_length(declared: str) -> None:
    """Raises Refusal for a Content-Length that is too large. A body may have none."""
    if declared.isascii() and declared.isdigit() and int(declared) > LARGEST_BODY:
        raise too_large()


def unrouted(path: str) -> Refusal:
    """404 where the contract has no such address, else 405 with the methods that it has there."""
    methods = {endpoint.method for endpoint in ENDPOINTS.values() if endpoint.path == path}
    if not methods:
        return Refusal(404, "there is no such address")
    allow = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    return Refusal(405, f"this address takes {allow}", {"Allow": allow})


def check_may_view_reports(caller: Caller) -> None:
    """Raises Refusal where the permission is missing."""
    if VIEW_REPORTS not in caller.permissions:
        raise Refusal(403, f"needs the permission {VIEW_REPORTS}", VARY)


def asks_for_preferences(query: str) -> bool:
    """Whether `whoami` shall tell the preferences too. Raises Refusal, as Django does, for too many parameters."""
    try:
        parameters = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS))
    except ValueError:
        raise Refusal(400, "the request is malformed") from None
    return parameters.get("preferences") == "1"


def about(caller: Caller) -> dict[str, Any]:
    """The members of `whoami`."""
    return {"id": caller.id, "username": caller.username, "permissions": list(caller.permissions)}


def every_answer(replica: str, *, secure: bool) -> dict[str, str]:
    """Headers of each answer; `secure`: to a request that came through TLS."""
    headers = {REPLICA_HEADER: replica, "Cache-Control": "no-store", **SECURITY_HEADERS}
    return {**headers, **TRANSPORT_SECURITY} if secure else headers
