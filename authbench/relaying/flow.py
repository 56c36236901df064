"""One direction of a relayed connection: chunks in the order they came, each kept until it is due."""

import contextlib
import socket
from collections import deque
from enum import Enum

CHUNK_BYTES = 65_536
MOST_HELD_BYTES = (
    1 << 20
)  # on the way in one direction; then its source is not read until some of it has been delivered


class End(Enum):
    """How a direction ends. The first two are delivered in their turn, like any chunk."""

    CLOSED = "closed"  # the source will send no more
    BROKEN = "broken"  # the connection is over: its source has reset it, or could not be reached
    GONE = "gone"  # the sink takes nothing any more


class Flow:
    """From one socket to another, both non-blocking. `not_before_ns` is when its first byte can have arrived at all."""

    __slots__ = ("_chunks", "blocked", "done", "ended", "held_bytes", "last_due_ns", "sink", "source")

    def __init__(self, source: socket.socket, sink: socket.socket, not_before_ns: int) -> None:
        self.source = source
        self.sink = sink
        self.last_due_ns = not_before_ns
        self.held_bytes = 0
        self.ended = False  # nothing more is read from the source
        self.done = False  # nothing more is given to the sink
        self.blocked = False  # the sink takes no more at the moment
        self._chunks: deque[tuple[int, memoryview | End]] = deque()

    @property
    def reads(self) -> bool:
        """Whether its source is to be read now."""
        return not self.ended and self.held_bytes < MOST_HELD_BYTES

    @property
    def next_due_ns(self) -> int | None:
        """When the oldest chunk is due; None where none is held."""
        return self._chunks[0][0] if self._chunks else None

    def read(self) -> bytes | End | None:
        """What the source has, at most a chunk; None where it has nothing after all."""
        try:
            data = self.source.recv(CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return End.BROKEN
        return data or End.CLOSED

    def hold(self, what: bytes | End, due_ns: int) -> int:
        """Keeps it until then, or until what came before it is due; returns when that is."""
        self.last_due_ns = due_ns = max(due_ns, self.last_due_ns)
        if isinstance(what, End):
            self.ended = True
            self._chunks.append((due_ns, what))
        else:
            self.held_bytes += len(what)
            self._chunks.append((due_ns, memoryview(what)))
        return due_ns

    def hasten(self, now_ns: int) -> None:
        """What is held is due now at the latest: whatever kept it back is gone."""
        self._chunks = deque((min(due_ns, now_ns), what) for due_ns, what in self._chunks)
        self.last_due_ns = min(self.last_due_ns, now_ns)

    def deliver(self, now_ns: int) -> tuple[int | None, End | None]:
        """Gives the sink what is due; (when the first of it was due, the end that was met), each None for none.

        Sets `blocked` where the sink takes no more at the moment.
        """
        chunks, first = self._chunks, None
        self.blocked = False
        while chunks and chunks[0][0] <= now_ns and not self.done:
            due_ns, what = chunks[0]
            first = due_ns if first is None else first
            if isinstance(what, End):
                chunks.popleft()
                self.done = True
                if what is End.CLOSED:
                    with contextlib.suppress(OSError):  # gone already
                        self.sink.shutdown(socket.SHUT_WR)
                return first, what
            try:
                sent = self.sink.send(what)
            except (BlockingIOError, InterruptedError):
                self.blocked = True
                break
            except OSError:
                self.done = self.ended = True
                chunks.clear()
                self.held_bytes = 0
                return first, End.GONE
            self.held_bytes -= sent
            if sent < len(what):
                chunks[0] = (due_ns, what[sent:])
                self.blocked = True
                break
            chunks.popleft()
        return first, None
