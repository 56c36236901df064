"""Users with a login each, as browsers and apps are: what they hold, what they send, how each request ends."""

import threading
from dataclasses import dataclass, field

import httpx

from apps.contract.credentials import Credential
from apps.contract.endpoints import Caller
from authbench.conformance.outcome import Outcome, Silence, judge
from authbench.conformance.visitor import Answer, Visitor
from authbench.experiments.rotation.steps import Key


@dataclass(slots=True)
class Client:
    """One user's client; a page at a time."""

    caller: Caller
    credential: Credential
    key: Key  # that the credential was made with
    renews: bool  # asks for a new credential while the old key is still accepted
    newcomer: bool = False  # logged in with a password while the keys were rotated
    out: bool = False  # it has to log in again, and has not yet
    times_out: int = 0  # how often that came to pass


@dataclass(slots=True)
class Issuing:
    """Counts requests that may be answered with a new credential, so that a switch can wait for none to be under way.

    A balancer that drains ends whatever takes longer than its patience (nginx: `worker_shutdown_timeout`), and a
    password's hash may; real deployments give it more.
    """

    _under_way: int = 0
    _held: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._held)
            self._under_way += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def hold(self, within_s: float) -> bool:
        """Lets none begin until `release`; whether those under way have ended in time."""
        with self._changed:
            self._held = True
            return self._changed.wait_for(lambda: not self._under_way, within_s)

    def release(self) -> None:
        """Those that waited begin."""
        with self._changed:
            self._held = False
            self._changed.notify_all()


def asked(visitor: Visitor, endpoint: str, caller: Caller) -> tuple[Outcome, Answer | None]:
    """One request of the caller's and how it ended; the visitor's credential is afterwards what the answer says."""
    answer: Answer | Silence
    try:
        answer = visitor.call(endpoint)
    except httpx.ConnectError:
        answer = "not sent"
    except httpx.TransportError:
        answer = "no whole answer"
    return judge(endpoint, caller, answer).outcome, answer if isinstance(answer, Answer) else None
