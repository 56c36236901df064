"""An HTTP server that holds every request for the same time, to show how exactly a generator measures.

    python -m loadtests.steady_server --port N [--hold-ms 5.2] [--core N]

A kernel timer wakes it shortly before an answer is due, and it spins (reading meanwhile) until the time has come. It
measures each hold itself: `GET /holds` answers what it measured since the last such request, the truth to compare with.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import socket
from array import array
from collections import deque
from time import monotonic_ns

import numpy as np

from loadtests.priority import real_time
from loadtests.timerfd import open_timerfd

BODY = b'{"id":1,"username":"steady","permissions":[]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Replica: steady\r\nContent-Length: "
ANSWER = HEAD + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
HOLDS_PATH = b"GET /holds "
READ_BYTES = 65_536
EARLY_NS = 150_000


class SteadyServer:
    """One listening socket and its connections; requests fit in one read, one is outstanding a connection."""

    def __init__(self, port: int, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._timer, self._wake_at = open_timerfd()
        self._poll.register(self._timer, select.EPOLLIN)
        self._open: dict[int, socket.socket] = {}
        self._held: deque[tuple[int, int]] = deque()  # (when it was read, socket's number), oldest first
        self._holds = array("q")

    def serve(self) -> None:
        """For ever."""
        held, hold_ns = self._held, self._hold_ns
        while True:
            self._handle(self._poll.poll())
            while held and (left := held[0][0] + hold_ns - monotonic_ns()) <= EARLY_NS:
                if left <= 0:
                    self._answer(*held.popleft())
                else:
                    self._handle(self._poll.poll(0))
            self._wake_at(held[0][0] + hold_ns - EARLY_NS if held else 0)

    def _handle(self, events: list[tuple[int, int]]) -> None:
        for fd, _ in events:
            if fd == self._listener.fileno():
                self._accept()
            elif fd != self._timer:
                self._read(fd)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[client.fileno()] = client
            self._poll.register(client, select.EPOLLIN)

    def _read(self, fd: int) -> None:
        try:
            data = self._open[fd].recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._open.pop(fd).close()
        elif data.startswith(HOLDS_PATH):
            self._open[fd].send(self._measured())
        else:
            self._held.append((monotonic_ns(), fd))

    def _answer(self, read_ns: int, fd: int) -> None:
        client = self._open.get(fd)
        if client is None:
            return
        with contextlib.suppress(OSError):
            client.send(ANSWER)
            self._holds.append(monotonic_ns() - read_ns)

    def _measured(self) -> bytes:
        held = np.array(self._holds if self._holds else [0]) / 1e6
        del self._holds[:]
        p50, p99 = np.percentile(held, [50, 99]).tolist()
        body = json.dumps({"count": len(held), "p50_ms": p50, "p99_ms": p99, "max_ms": float(held.max())}).encode()
        return HEAD + str(len(body)).encode() + b"\r\n\r\n" + body


def main() -> None:
    """Serves until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.steady_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--hold-ms", type=float, default=5.2)
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    with real_time(options.core is not None):
        SteadyServer(options.port, round(options.hold_ms * 1e6)).serve()


if __name__ == "__main__":
    main()
