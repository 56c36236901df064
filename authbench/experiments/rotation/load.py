"""Steady load by logged-in users while keys change: pages at a fixed rate, whatever becomes of them, and logins."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Self

import httpx

from apps.contract.credentials import Credential, anonymous
from apps.contract.endpoints import Caller
from apps.contract.registry import Strategy
from authbench.conformance.outcome import Outcome, gives_to
from authbench.conformance.visitor import Answer, User, Visitor, unconnected
from authbench.errors import StackError
from authbench.experiments.rotation.clients import Client, Issuing, asked
from authbench.experiments.rotation.steps import Key
from authbench.experiments.rotation.timeline import Ended

TIMEOUT_S = 10.0
AT_ONCE = 12  # pages under way; more are due only where answers take longer than half a second
DRAIN_S = 10.0


class Load:
    """Clients of one strategy at one address. Use as a context manager: load runs within it.

    A client whose request is refused renews its login where it holds something to renew it with, and else waits for
    its turn to log in again with its password; with no one waiting, users who have not been here before log in.
    """

    def __init__(
        self,
        strategy: Strategy,
        url: str,
        clients: Sequence[Client],
        newcomers: Iterator[Caller],
        *,
        password: str,
        signing: MutableMapping[str, Key],
        page: int,
        pages_rps: float,
        logins_rps: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`signing`: replica -> the key it signs with now, kept up to date by whoever changes it."""
        self.clients = list(clients)
        self.signing = signing
        self.ended: list[Ended] = []  # requests with a credential; list.append is atomic
        self.logins: list[Outcome] = []
        self.renewals: list[Outcome] = []
        self.crowded = 0  # pages that were due while every client was busy and none logged out
        self._newcomers = newcomers
        self._strategy = strategy
        self._url = url
        self._password = password
        self._page = page
        self._pages_rps = pages_rps
        self._logins_rps = logins_rps
        self._clock = clock
        self._free: deque[Client] = deque(self.clients)
        self._out: deque[Client] = deque()
        self._issuing = Issuing()
        self._renewing = threading.Event()
        self._over = threading.Event()
        self._broken: BaseException | None = None

    def __enter__(self) -> Self:
        self._http = unconnected()  # a balancer that changes its replicas closes connections that are kept
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page")
        self._zero = self._clock()
        self._threads = [threading.Thread(target=self._guarded, args=(run,)) for run in (self._visits, self._log_ins)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._issuing.release()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown(wait=True)
        self._http.close()

    def now_s(self) -> float:
        """Seconds since the load began."""
        return self._clock() - self._zero

    def check(self) -> None:
        """Raises StackError where the load has ended by itself."""
        if self._broken is not None:
            raise StackError(f"{self._strategy.name}: the load broke off: {self._broken!r}")

    @contextmanager
    def calm(self) -> Iterator[None]:
        """No login and no renewal is under way within it; other requests go on. Raises StackError after 10 s."""
        if not self._issuing.hold(DRAIN_S):
            self._issuing.release()
            raise StackError(f"{self._strategy.name}: a login has not ended within {DRAIN_S:.0f} s")
        try:
            yield
        finally:
            self._issuing.release()

    def renew(self, within_s: float) -> bool:
        """Has those renew who do; whether all of them that are logged in have done it in time."""
        self._renewing.set()
        deadline = self._clock() + within_s
        while self._clock() < deadline:
            if not any(client.renews and client.key == "old" and not client.out for client in list(self.clients)):
                return True
            self._over.wait(0.02)
        return False

    # Inside

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # told by `check`, in the thread that waits
            self._broken = error

    def _due(self, rate: float) -> Iterator[None]:
        """Comes back whenever something is due, and ends with the load."""
        for number in range(10**9):
            if self._over.wait(max(0.0, self._zero + number / rate - self._clock())):
                return
            yield

    def _visits(self) -> None:
        for _ in self._due(self._pages_rps):
            try:
                client = self._free.popleft()
            except IndexError:
                self.crowded += not self._out
                continue
            self._pool.submit(self._guarded, partial(self._visit, client))

    def _visit(self, client: Client) -> None:
        """One page; the requests of a page carry what the client held when it began to load."""
        refused = self._renewing.is_set() and client.renews and client.key == "old" and not self._renewed(client)
        held, answers = client.credential, []
        for _ in range(0 if refused else self._page):
            visitor = self._visitor(held)
            key, sent_s = client.key, self.now_s()
            outcome, answer = asked(visitor, "whoami", client.caller)
            self.ended.append(Ended(sent_s, key, outcome))
            refused = refused or outcome == "refused"
            if answer is not None:
                answers.append(answer)
        for answer in answers:  # in the order in which they came
            self._absorb(client, answer)
        if refused and not self._saved(client):
            client.out, client.times_out = True, client.times_out + 1
            client.credential = anonymous(self._strategy.carrier)
            self._out.append(client)
        else:
            self._free.append(client)

    def _renewed(self, client: Client) -> bool:
        """Whether the client may go on: with a new credential, or with its old one where no answer came."""
        with self._issuing:
            visitor = self._visitor(client.credential)
            key, sent_s = client.key, self.now_s()
            outcome, answer = asked(visitor, "refresh", client.caller)
            self.ended.append(Ended(sent_s, key, outcome))
            self.renewals.append(outcome)
            if outcome == "ok" and answer is not None:
                client.credential, client.key = visitor.credential, self.signing[answer.replica]
        return outcome != "refused"

    def _saved(self, client: Client) -> bool:
        """Whether a refused client has something beside its credential to renew it with, and that worked."""
        return client.credential.renewal() is not None and self._renewed(client)

    def _log_ins(self) -> None:
        for _ in self._due(self._logins_rps):
            client = self._next_out()
            with self._issuing:
                if self._over.is_set():
                    return
                visitor = self._visitor(anonymous(self._strategy.carrier))
                outcome, answer = self._log_in(visitor, client.caller)
                self.logins.append(outcome)
                if outcome != "ok" or answer is None:
                    self._out.append(client)
                    continue
                client.credential, client.key = visitor.credential, self.signing[answer.replica]
                client.out = False
            self._free.append(client)

    def _next_out(self) -> Client:
        try:
            return self._out.popleft()
        except IndexError:
            carrier = self._strategy.carrier
            client = Client(next(self._newcomers), anonymous(carrier), "new", renews=True, newcomer=True, out=True)
            self.clients.append(client)
            return client

    def _log_in(self, visitor: Visitor, caller: Caller) -> tuple[Outcome, Answer | None]:
        try:
            answer = visitor.log_in(User(caller, self._password))
        except httpx.TransportError:
            return "unknown", None
        return ("ok" if answer.status == 200 and gives_to(caller, answer.body) else "failed"), answer

    def _visitor(self, held: Credential) -> Visitor:
        return Visitor(self._http, self._url, self._strategy, held, TIMEOUT_S)

    def _absorb(self, client: Client, answer: Answer) -> None:
        """What a browser keeps of an answer; a credential that changed was made by the replica that answered."""
        after = client.credential.absorb(answer.headers, answer.body)
        if after != client.credential:
            client.credential, client.key = after, self.signing.get(answer.replica, client.key)
