"""One client of one strategy, as a browser or an app would be: it calls endpoints and keeps its credential."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from apps.contract.credentials import Credential, Headers, anonymous
from apps.contract.endpoints import ENDPOINTS, PROBLEM_JSON, RENEWING, REPLICA_HEADER, SAFE_METHODS, Caller, to_json
from apps.contract.registry import Strategy

TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def replica(self) -> str:
        """Which replica answered."""
        return self.header(REPLICA_HEADER)

    @property
    def is_problem(self) -> bool:
        """Whether the body says of itself that it is an RFC 9457 problem document."""
        return self.header("Content-Type").split(";")[0] == PROBLEM_JSON


@dataclass(frozen=True, slots=True)
class User:
    """A seeded user: who the server should say it is, and the password."""

    caller: Caller
    password: str


class Visitor:
    """Calls the endpoints of one strategy through one address. Every call opens its own way through the balancer."""

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        strategy: Strategy,
        credential: Credential | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._http = http
        self._url = url
        self._timeout_s = timeout_s
        self.strategy = strategy
        self.credential = credential or anonymous(strategy.carrier)

    def as_bearer_of(self, credential: Credential) -> "Visitor":
        """Another client with that credential."""
        return Visitor(self._http, self._url, self.strategy, credential, self._timeout_s)

    def within(self, timeout_s: float) -> "Visitor":
        """The same client, who waits so long for an answer."""
        return Visitor(self._http, self._url, self.strategy, self.credential, timeout_s)

    def call(
        self, endpoint: str, body: Mapping[str, Any] | None = None, *, query: str = "", headers: Headers = ()
    ) -> Answer:
        """One request; the credential is sent along and replaced by what the answer says."""
        e = ENDPOINTS[endpoint]
        # TLS ends at the load balancer in production, and replicas are told so: a browser would name this origin.
        page = None if e.method in SAFE_METHODS else f"https://{urlsplit(self._url).netloc}"
        sent = [*self.credential.attach(page), *headers]
        if body is None and endpoint in RENEWING:
            body = self.credential.renewal()
        if body is not None:
            sent.append(("Content-Type", "application/json"))
        response = self._http.request(
            e.method,
            f"{self._url}{e.path}{query}",
            headers=sent,
            content=None if body is None else to_json(body),
            timeout=self._timeout_s,
            follow_redirects=False,
        )
        answer = Answer(response.status_code, tuple(response.headers.multi_items()), response.content)
        self._http.cookies.clear()  # the credential is the only cookie jar here
        self.credential = self.credential.absorb(answer.headers, answer.body)
        return answer

    def log_in(self, user: User) -> Answer:
        """`POST /api/login` with the user's name and password."""
        return self.call("login", {"username": user.caller.username, "password": user.password})


def unconnected() -> httpx.Client:
    """Opens a connection for every request, so that no answer is about an old one that has broken meanwhile."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
