"""A copy of somebody's credential: what a thief holds, whatever the server says to its owner meanwhile."""

from collections.abc import Mapping
from typing import Any

from apps.contract.credentials import Credential
from authbench.conformance.checks import Subject
from authbench.conformance.visitor import Answer, Visitor


class Copy:
    """Sends the same credential again and again. A one-time token is the exception: there the copy rolls on."""

    def __init__(self, subject: Subject, credential: Credential) -> None:
        self.subject = subject
        self._visitor = subject.anonymous.as_bearer_of(credential)
        self._credential = credential

    def ask(self, endpoint: str, body: Mapping[str, Any] | None = None) -> Answer:
        """One request with it."""
        if not self.subject.strategy.one_time:
            self._visitor = self.original()
        return self._visitor.call(endpoint, body)

    def original(self) -> Visitor:
        """A client that holds what the copy was made of, or what has become of that."""
        current = self._visitor.credential if self.subject.strategy.one_time else self._credential
        return self.subject.anonymous.as_bearer_of(current)
