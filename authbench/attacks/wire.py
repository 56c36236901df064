"""Requests as an attacker writes them: no library corrects a header, joins two of one name, or refuses to send them."""

import contextlib
import http.client
import socket
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from authbench.conformance.visitor import Answer

TIMEOUT_S = 10.0
NO_ANSWER = 0  # the status of a connection that was closed without one
FRAMING = frozenset({"content-length", "transfer-encoding"})
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header text goes out as UTF-8; single bytes that are none are lone surrogates (PEP 383)."""

    method: str
    url: str  # origin and path, sent as it is
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)

    @property
    def origin(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def wire(self) -> bytes:
        """Its bytes; `Host` and `Content-Length` are added where the headers do not have them."""
        _, _, path = self.url.partition("://")[2].partition("/")
        names = {name.lower() for name, _ in self.headers}
        headers = [*self.headers]
        if "host" not in names:
            headers.insert(0, ("Host", self.origin))
        if not names & FRAMING and (self.body or self.method != "GET"):
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body


class Wire:
    """Sends requests one after another, on one connection an origin for as long as the other side keeps it."""

    def __init__(self) -> None:
        self._open: dict[str, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._open.values():
            connection.close()

    def send(self, request: Request) -> Answer:
        """What came back; status 0 where the connection was closed without an answer, or none came in time."""
        kept = self._open.pop(request.origin, None)
        if kept is not None:
            answer = self._exchange(kept, request)
            if answer.status != NO_ANSWER:
                return answer
        # A kept connection may have been closed meanwhile: once more, on a fresh one.
        host, _, port = request.origin.rpartition(":")
        try:
            fresh = socket.create_connection((host, int(port)), TIMEOUT_S)
        except OSError:
            return Answer(NO_ANSWER, (), b"")
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._exchange(fresh, request)

    def _exchange(self, connection: socket.socket, request: Request) -> Answer:
        # Whoever refuses a long request early may close while it is still being sent: the answer is there to be read.
        with contextlib.suppress(OSError):
            connection.sendall(request.wire())
        response = http.client.HTTPResponse(connection, method=request.method)
        try:
            response.begin()
            answer = Answer(response.status, tuple(response.getheaders()), response.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            return Answer(NO_ANSWER, (), b"")
        if response.will_close or any(name.lower() in FRAMING for name, _ in request.headers):
            connection.close()  # odd framing may have left something behind
        else:
            self._open[request.origin] = connection
        return answer
