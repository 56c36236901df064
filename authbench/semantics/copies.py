"""A copy of somebody's credential: what a thief holds, whatever the server says to its owner meanwhile."""

from collections.abc import Mapping
from typing import Any

import httpx

from apps.contract.credentials import Credential
from authbench.conformance.checks import Subject
from authbench.conformance.visitor import Answer, Visitor

PATIENCE_S = 2.0  # for one answer: what is polled must not wait for one that never comes
TRIES = 3


class Copy:
    """Sends the same credential again and again. A one-time token is the exception: there the copy rolls on."""

    def __init__(self, subject: Subject, credential: Credential) -> None:
        self.subject = subject
        self._anonymous = subject.anonymous.within(PATIENCE_S)
        self._visitor = self._anonymous.as_bearer_of(credential)
        self._credential = credential

    def ask(self, endpoint: str, body: Mapping[str, Any] | None = None) -> Answer:
        """One request with it, sent anew where no answer comes. Raises httpx.HTTPError where none comes at all."""
        if self.subject.strategy.one_time:  # whoever sends such a token anew is refused
            return self._visitor.call(endpoint, body)
        for _ in range(TRIES - 1):
            try:
                return self.original().call(endpoint, body)
            except httpx.TimeoutException:
                continue
        return self.original().call(endpoint, body)

    def original(self) -> Visitor:
        """A client that holds what the copy was made of, or what has become of that."""
        current = self._visitor.credential if self.subject.strategy.one_time else self._credential
        return self._anonymous.as_bearer_of(current)
