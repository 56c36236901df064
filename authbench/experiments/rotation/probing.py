"""Asks every replica, past the balancer, whether it still accepts credentials made with the old key."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

from apps.contract.credentials import load
from apps.contract.registry import Strategy
from authbench.conformance.checks import caller_of
from authbench.conformance.visitor import Visitor, unconnected
from authbench.experiments.rotation.clients import asked

EVERY_S = 0.1
TIMEOUT_S = 2.0


class Probe:
    """Presents credentials that somebody made with the old key, a fresh one at each question.

    `refused` tells from when on every replica has refused them all, in the clock's seconds.
    """

    def __init__(self, strategy: Strategy, urls: Sequence[str], forged: Sequence[Mapping[str, Any]]) -> None:
        self._strategy = strategy
        self._urls = urls
        self._forged: Iterator[Mapping[str, Any]] = cycle(forged)
        self._refused_since: dict[str, float | None] = dict.fromkeys(urls)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.accepted = 0  # answers to a forged credential that took it for good

    def start(self) -> None:
        """Begins to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ends asking; may be called where it has not begun."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def refused(self) -> float | None:
        """Since when every replica refuses; None: one does not yet."""
        since = list(self._refused_since.values())
        known = [each for each in since if each is not None]
        return max(known) if known and len(known) == len(since) else None

    def await_refused(self, within_s: float) -> float | None:
        """`refused`, as soon as it is known; None after `within_s`."""
        deadline = time.monotonic() + within_s
        while self.refused() is None and time.monotonic() < deadline and self._thread.is_alive():
            self._over.wait(EVERY_S / 2)
        return self.refused()

    def _run(self) -> None:
        with unconnected() as http:
            while not self._over.wait(EVERY_S):
                for url in self._urls:
                    row = next(self._forged)
                    held = load(self._strategy.carrier, row["credential"])
                    visitor = Visitor(http, url, self._strategy, held, TIMEOUT_S)
                    outcome, _ = asked(visitor, "whoami", caller_of(dict(row)))
                    self._note(url, outcome)

    def _note(self, url: str, outcome: str) -> None:
        """A replica that does not answer says nothing."""
        if outcome == "ok":
            self.accepted += 1
            self._refused_since[url] = None
        elif outcome == "refused" and self._refused_since[url] is None:
            self._refused_since[url] = time.monotonic()
