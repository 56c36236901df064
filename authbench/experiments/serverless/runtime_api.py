"""AWS Lambda's runtime API (2018-06-01), as one instance sees it: it asks for an event, works, and posts the answer.

docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Each instance has one of its own, as on AWS; here at a port.
"""

import json
import re
import socketserver
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR
from threading import Condition, Thread
from typing import Any, cast

from authbench.errors import StackError
from authbench.stack.ports import LOOPBACK

PREFIX = "/2018-06-01/runtime"
ANSWER = re.compile(rf"{PREFIX}/invocation/([A-Za-z0-9-]+)/(response|error)")
TIMEOUT_S = 29.0  # of a request: as long as API Gateway waits
LOOK_S = 0.1  # how often is asked whether the instance still lives


@dataclass(frozen=True, slots=True)
class Exchange:
    """An event and its answer. Times are of the monotonic clock."""

    payload: bytes
    handed_ns: int  # when the event was handed over
    answered_ns: int  # when the answer began to come in


class RuntimeApi(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves from its making until `close`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, name: str, port: int) -> None:
        """Raises OSError where the port is taken."""
        super().__init__((LOOPBACK, port), _Conversation)
        self.name = name
        self.most_at_once = 0  # events that were with the instance at the same time
        self._changed = Condition()
        self._polls = False  # whether the instance waits for an event
        self._event: tuple[str, bytes] | None = None
        self._handed: dict[str, int] = {}  # request -> when
        self._exchange: Exchange | None = None
        self._failure = ""
        self._number = 0
        self._closed = False
        self._thread = Thread(target=self._accept, name=f"runtime API of {name}", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """As AWS_LAMBDA_RUNTIME_API holds it."""
        host, port = self.server_address[:2]
        return f"{cast(str, host)}:{port}"

    def await_poll(self, alive: Callable[[], None], within_s: float = TIMEOUT_S) -> None:
        """Returns when the instance asks for an event. `alive` raises where it has ended.

        Raises StackError where it tells of a failure, or does not ask in time.
        """
        self._await(lambda: self._polls, alive, within_s, "asked for no event")

    def invoke(self, event: bytes, alive: Callable[[], None], within_s: float = TIMEOUT_S) -> Exchange:
        """Hands an event over and waits for the answer; the instance has to be waiting. Raises StackError as above."""
        with self._changed:
            self._number += 1
            self._event, self._exchange = (f"{self.name}-{self._number}", event), None
            self._changed.notify_all()
        self._await(lambda: self._exchange is not None, alive, within_s, "gave no answer")
        assert self._exchange is not None
        return self._exchange

    def close(self) -> None:
        """Ends its threads; the instance should have ended before."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.socket.shutdown(SHUT_RDWR)
        self.server_close()
        self._thread.join()

    def _await(self, there: Callable[[], bool], alive: Callable[[], None], within_s: float, otherwise: str) -> None:
        deadline = time.monotonic() + within_s
        with self._changed:
            while not there() and not self._failure:
                self._changed.wait(LOOK_S)
                if not there() and not self._failure:
                    alive()
                    if time.monotonic() > deadline:
                        raise StackError(f"{self.name}: {otherwise} within {within_s:g} s")
        if self._failure:
            raise StackError(f"{self.name}: {self._failure}")

    # What the instance asks

    def next_event(self) -> tuple[str, bytes] | None:
        """The next event and its request's name, once there is one; None where there will be none."""
        with self._changed:
            self._polls = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._event is not None or self._closed)
            self._polls, event, self._event = False, self._event, None
            if event is not None:
                self._handed[event[0]] = time.monotonic_ns()
                self.most_at_once = max(self.most_at_once, len(self._handed))
            return event

    def answered(self, request: str, payload: bytes, at_ns: int) -> bool:
        """Takes the answer to a request; False where that request is not with the instance."""
        with self._changed:
            handed_ns = self._handed.pop(request, None)
            if handed_ns is None:
                return False
            self._exchange = Exchange(payload, handed_ns, at_ns)
            self._changed.notify_all()
            return True

    def failed(self, payload: bytes) -> None:
        """Takes what the runtime says of an error, without the trace."""
        try:
            told = json.loads(payload)
            said = f"{told['errorType']}: {told['errorMessage']}"
        except (ValueError, KeyError, TypeError):
            said = "an error that it does not name"
        with self._changed:
            self._failure = said
            self._changed.notify_all()

    def _accept(self) -> None:
        while True:
            try:
                request, address = self.get_request()
            except OSError:
                return  # closed
            self.process_request(request, address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An instance that was ended leaves its connection half-closed: nothing to tell. Whoever waits asks `alive`."""


class _Conversation(BaseHTTPRequestHandler):
    """One connection of the instance."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets
    server: RuntimeApi

    def parse_request(self) -> bool:
        self.came_ns = time.monotonic_ns()
        return super().parse_request()

    def do_GET(self) -> None:
        """The next event."""
        if self.path != f"{PREFIX}/invocation/next":
            self._reply(404)
            return
        event = self.server.next_event()
        if event is None:
            self.close_connection = True
            return
        request, payload = event
        deadline = round((time.time() + TIMEOUT_S) * 1000)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:local:000000000000:function:{self.server.name}",
            "Lambda-Runtime-Trace-Id": f"Root=1-{deadline // 1000:08x}-000000000000000000000000;Sampled=0",
        }
        self._reply(200, payload, headers)

    def do_POST(self) -> None:
        """An answer, or an error."""
        payload = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = ANSWER.fullmatch(self.path)
        if self.path == f"{PREFIX}/init/error" or (found and found[2] == "error"):
            self.server.failed(payload)
            self._reply(202, b'{"status":"OK"}')
        elif found and self.server.answered(found[1], payload, self.came_ns):
            self._reply(202, b'{"status":"OK"}')
        else:
            self._reply(400 if found else 404)

    def _reply(self, status: int, payload: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the parent's name for it
        """Nothing is logged: payloads hold credentials."""
