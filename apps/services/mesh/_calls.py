"""Asking other processes over HTTP, several at a time, over connections that are kept."""

import http.client
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from apps.shop.problems import StoreOutage

CONNECT_S = 1.0
READ_S = 10.0  # for each piece of an answer, which comes in one; the last of a long chain takes its time
LARGEST_ANSWER = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Question:
    """One request. It must be safe to send again: a kept connection may turn out to be closed."""

    address: str  # host:port
    path: str
    headers: Mapping[str, str] = field(repr=False)  # carry a credential
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names as sent
    body: bytes


class Connections:
    """As many to each address as requests were in flight there at once; used by all threads of a process."""

    def __init__(self) -> None:
        # The one used last is used next, so that the others may age. Appending and popping are atomic.
        self._kept: dict[str, list[http.client.HTTPConnection]] = defaultdict(list)

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers, in the questions' order; all are sent before any is waited for. Raises StoreOutage."""
        begun: list[tuple[Question, http.client.HTTPConnection, bool]] = []
        try:
            for question in questions:
                begun.append(self._begun(question))
            return [self._answer(*begun[at]) for at in range(len(questions))]
        except (OSError, http.client.HTTPException) as error:
            for _, connection, _ in begun:
                connection.close()  # those answered already come back as closed, and are opened anew by their next use
            raise StoreOutage(f"a service does not answer ({type(error).__name__})") from error

    def _begun(self, question: Question) -> tuple[Question, http.client.HTTPConnection, bool]:
        kept = self._kept[question.address]
        try:
            connection = kept.pop()
        except IndexError:
            return question, _sent(question, _opened(question.address)), False
        try:
            return question, _sent(question, connection), True
        except OSError:
            connection.close()
            return question, _sent(question, _opened(question.address)), False

    def _answer(self, question: Question, connection: http.client.HTTPConnection, was_kept: bool) -> Answer:
        try:
            return self._read(question, connection)
        except (http.client.RemoteDisconnected, ConnectionError):
            connection.close()
            if not was_kept:
                raise
            return self._read(question, _sent(question, _opened(question.address)))

    def _read(self, question: Question, connection: http.client.HTTPConnection) -> Answer:
        response = connection.getresponse()
        body = response.read(LARGEST_ANSWER)
        if response.isclosed() and not response.will_close:
            self._kept[question.address].append(connection)
        else:
            connection.close()
        return Answer(response.status, dict(response.getheaders()), body)


def _opened(address: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(address, timeout=CONNECT_S)
    connection.connect()
    connection.sock.settimeout(READ_S)
    return connection


def _sent(question: Question, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
    connection.request(question.method, question.path, question.body, dict(question.headers))
    return connection
