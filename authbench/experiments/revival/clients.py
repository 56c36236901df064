"""Clients of one strategy: they log out, and copies of their credentials ask whether they are let in."""

import itertools
import time

import httpx

from apps.contract.credentials import Credential
from apps.contract.endpoints import whoami_body
from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import REQUEST_BODIES
from authbench.conformance.outcome import Outcome
from authbench.conformance.visitor import Answer, Visitor
from authbench.errors import StackError
from authbench.experiments.revival.logins import Login

TIMEOUT_S = 10.0  # for one answer
DECIDED_WITHIN_S = 20.0  # until a replica that came through a fault says yes or no
PAUSE_S = 0.02
# As the load balancer tells it; who calls a replica directly must say so.
DIRECT = (("X-Forwarded-Proto", "https"),)


def outcome_of(answer: Answer | None) -> Outcome:
    """What a client takes an answer for; None: none came."""
    if answer is None:
        return "unknown"
    if answer.status < 300:
        return "ok"
    return "failed" if answer.status >= 500 else "refused"


def asked_of(strategy: Strategy, credential: Credential) -> str:
    """The endpoint that tells whether a login goes on: `refresh` where a logout ends nothing but the refresh token."""
    return "refresh" if not strategy.revocable and credential.renewal() is not None else "whoami"


class Clients:
    """Clients of one strategy, at the load balancer or directly at a replica."""

    def __init__(self, http: httpx.Client, stack: EmbeddedStack, strategy: Strategy, asked: str) -> None:
        """`asked`: the endpoint that tells whether a login goes on."""
        self.strategy = strategy
        self.asked = asked
        self._stack = stack
        self._http = http

    def call(
        self, credential: Credential, endpoint: str, replica: int | None = None
    ) -> tuple[Answer | None, Credential]:
        """To that replica or through the balancer: the answer, None for none, and what the client holds then."""
        direct = replica is not None and not self.strategy.edge
        name = self.strategy.name
        url = self._stack.replica_urls(name)[replica - 1] if direct and replica else self._stack.url(name)
        visitor = Visitor(self._http, url, self.strategy, credential, TIMEOUT_S)
        try:
            answer = visitor.call(endpoint, REQUEST_BODIES.get(endpoint), headers=DIRECT if direct else ())
        except httpx.HTTPError:
            return None, visitor.credential
        return answer, visitor.credential

    @property
    def ends_something(self) -> bool:
        """Whether a logout ends more than what the client holds."""
        return self.strategy.revocable or self.asked == "refresh"

    @property
    def fills_cache(self) -> bool:
        """Whether a login stands in the database, and what was read of it in the cache."""
        return self.strategy.location == "cache+database"

    def warm(self, login: Login) -> None:
        """Has what is read of the login in the cache, where that is filled by reading."""
        if self.fills_cache:
            self.call(login.credential, "whoami")

    def is_accepted(self, login: Login, credential: Credential | None = None) -> bool:
        """Whether any replica lets a copy of the credential in, by default of the login's own.

        Asks until one does, or each has refused it; an outage is no answer. Raises StackError where none comes.
        """
        held = login.credential if credential is None else credential
        refused: set[str] = set()
        deciding = 1 if self.strategy.edge else self._stack.replicas  # the load balancer refuses for all of them
        deadline = time.monotonic() + DECIDED_WITHIN_S
        for turn in itertools.count():
            answer, _ = self.call(held, self.asked, None if self.strategy.edge else turn % self._stack.replicas + 1)
            outcome = outcome_of(answer)
            if outcome == "ok" and answer is not None:
                if self.asked == "whoami" and answer.body != whoami_body(login.caller):
                    raise StackError(
                        f"{self.strategy.name}: a credential of {login.caller.username} names another user"
                    )
                return True
            if outcome == "refused" and answer is not None:
                refused.add(answer.replica)
                if len(refused) == deciding:
                    return False
            else:
                time.sleep(PAUSE_S)
            if time.monotonic() > deadline:
                break
        told = f"{len(refused)} of {deciding} refused it, the others did not decide"
        raise StackError(f"{self.strategy.name}: whether an ended login is accepted is unknown: {told}")
