"""One kept-alive connection, driven by plain callbacks of gevent's hub: no greenlet, no blocking call.

It carries at most one request at a time. Its owner is told of an answer or a loss; an idle connection that the server
closes drops out of its pool silently.
"""

import _socket  # the C socket: gevent's would wait in a greenlet, and these calls never wait
import errno
from collections.abc import Callable
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Protocol

from gevent import get_hub

from loadtests.outcome import CLOSED, MALFORMED, loss
from loadtests.prepared import Request
from loadtests.reader import MalformedError, Reader

if TYPE_CHECKING:
    from loadtests.pool import Pool

READ_BYTES = 65_536
_READ, _WRITE = 1, 2


class Owner(Protocol):
    """Who sent the request that is in flight."""

    def answered(self, connection: "Connection", end: int) -> None:
        """The answer is in `connection.reader`; the connection is the owner's to use again, park or close."""
        ...

    def lost(self, connection: "Connection", kind: str) -> None:
        """There will be no answer; the connection is the owner's to close."""
        ...


class Connection:
    """A socket, its watcher and its reader."""

    __slots__ = (
        "_pool",
        "_recv",
        "_send",
        "_socket",
        "_unsent",
        "_watcher",
        "_writer",
        "bytes_in",
        "bytes_out",
        "idle_since",
        "owner",
        "reader",
        "request",
        "sent",
        "start",
    )

    def __init__(self, pool: "Pool") -> None:
        """Starts to connect. Raises OSError where that fails at once."""
        self._pool = pool
        self._socket = _socket.socket(pool.family, _socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            problem = self._socket.connect_ex(pool.address)
            if problem not in {0, errno.EINPROGRESS}:
                raise OSError(problem, errno.errorcode.get(problem, "connect"))
        except BaseException:
            self._socket.close()
            raise
        self._recv, self._send = self._socket.recv, self._socket.send
        self._unsent = b""
        self.reader = Reader()
        self.request: Request | None = None
        self.owner: Owner | None = None
        self.start = self.sent = 0
        self.idle_since = 0
        self.bytes_in = self.bytes_out = 0
        self._writer: Any = None
        self._watcher: Any = get_hub().loop.io(self._socket.fileno(), _READ)
        self._watcher.start(self._readable)

    def begin(self, owner: Owner, request: Request, start: int, now: int) -> str:
        """Sends a request; times in nanoseconds. Returns what went wrong, or nothing.

        After a failure the connection is closed and the owner is not told again.
        """
        self.owner = owner
        self.request = request
        self.reader.clear()
        self.start = start
        self.sent = now
        wire = request.wire
        try:
            count = self._send(wire)
        except BlockingIOError:
            count = 0
        except OSError as error:
            self.close()
            return loss(error)
        self.bytes_out += count
        if count < len(wire):
            self._unsent = wire[count:]
            self._watch_writing(self._writable)
        return ""

    def is_stale(self) -> bool:
        """Whether an idle connection was closed by the server, or holds bytes that nobody asked for."""
        try:
            self._recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def was_sent(self) -> bool:
        """Whether any of the request in flight went out (not where connecting itself failed)."""
        return self.request is None or len(self._unsent) < len(self.request.wire)

    def is_reusable(self) -> bool:
        """Whether another request may follow the answer that was read."""
        reader = self.reader
        return reader.keep_alive and not reader.leftover and not self._unsent

    def park(self, now: int) -> None:
        """Back to the pool after an answer, or closed where no request may follow."""
        if not self.is_reusable():
            self.close()
            return
        self.request = None
        self.owner = None
        self.idle_since = now
        self._pool.idle.append(self)

    def close(self) -> None:
        """Closes it and leaves the pool; the owner is not told."""
        self.request = None
        self.owner = None
        for watcher in (self._watcher, self._writer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._writer = None
        self._socket.close()
        self._pool.forget(self)

    def _readable(self) -> None:
        try:
            data = self._recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(loss(error))
            return
        end = monotonic_ns()
        self.bytes_in += len(data)
        owner = self.owner
        if owner is None:  # idle: closed by the server, or bytes that nobody asked for
            self.close()
            return
        try:
            complete = self.reader.feed(data) if data else self.reader.end()
        except MalformedError:
            owner.lost(self, MALFORMED)
            return
        if complete:
            owner.answered(self, end)
        elif not data:
            owner.lost(self, CLOSED)

    def _lose(self, kind: str) -> None:
        owner = self.owner
        if owner is None:
            self.close()
        else:
            owner.lost(self, kind)

    def _writable(self) -> None:
        try:
            count = self._send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(loss(error))
            return
        self.bytes_out += count
        self._unsent = self._unsent[count:]
        if not self._unsent and self._writer is not None:
            self._writer.stop()

    def _watch_writing(self, callback: Callable[[], None]) -> None:
        if self._writer is None:
            self._writer = get_hub().loop.io(self._socket.fileno(), _WRITE)
        self._writer.start(callback)
