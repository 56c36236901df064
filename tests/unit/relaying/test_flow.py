import socket
from collections.abc import Iterator

import pytest

from authbench.relaying.flow import CHUNK_BYTES, MOST_HELD_BYTES, End, Flow

Ends = tuple[socket.socket, socket.socket, Flow]  # who speaks, who hears, and what lies between


@pytest.fixture
def ends() -> Iterator[Ends]:
    speaker, source = socket.socketpair()
    sink, hearer = socket.socketpair()
    for each in (source, sink, hearer):
        each.setblocking(False)
    yield speaker, hearer, Flow(source, sink, not_before_ns=100)
    for each in (speaker, source, sink, hearer):
        each.close()


def heard(hearer: socket.socket) -> bytes | None:
    try:
        return hearer.recv(2 * CHUNK_BYTES)
    except BlockingIOError:
        return None


def test_nothing_is_delivered_before_it_is_due(ends: Ends) -> None:
    _, hearer, flow = ends
    flow.hold(b"one", 500)
    assert flow.deliver(499) == (None, None)
    assert heard(hearer) is None
    assert flow.deliver(500) == (500, None)
    assert heard(hearer) == b"one"


def test_the_order_is_kept_whatever_is_due_when(ends: Ends) -> None:
    _, hearer, flow = ends
    assert flow.hold(b"one", 900) == 900
    assert flow.hold(b"two", 600) == 900
    assert flow.deliver(700) == (None, None)
    flow.deliver(900)
    assert heard(hearer) == b"onetwo"


def test_the_first_bytes_wait_for_the_handshake(ends: Ends) -> None:
    assert ends[2].hold(b"one", 40) == 100


def test_what_is_read_is_what_was_said(ends: Ends) -> None:
    speaker, _, flow = ends
    assert flow.read() is None
    speaker.sendall(b"said")
    assert flow.read() == b"said"
    speaker.close()
    assert flow.read() is End.CLOSED


def test_the_end_comes_after_the_last_chunk(ends: Ends) -> None:
    _, hearer, flow = ends
    flow.hold(b"last", 500)
    flow.hold(End.CLOSED, 500)
    assert not flow.reads
    assert flow.deliver(500) == (500, End.CLOSED)
    assert (heard(hearer), heard(hearer)) == (b"last", b"")
    assert flow.done


def test_a_sink_that_is_gone_is_told_of(ends: Ends) -> None:
    _, hearer, flow = ends
    hearer.close()
    flow.hold(b"lost", 500)
    assert flow.deliver(500) == (500, End.GONE)
    assert not flow.reads
    assert flow.next_due_ns is None


def test_a_slow_sink_stops_the_reading_and_loses_nothing(ends: Ends) -> None:
    _, hearer, flow = ends
    chunk = bytes(range(256)) * (CHUNK_BYTES // 256)
    chunks = 0
    while flow.reads:
        flow.hold(chunk, 500)
        chunks += 1
    assert chunks == MOST_HELD_BYTES // CHUNK_BYTES
    found = b""
    while flow.next_due_ns is not None:
        flow.deliver(500)
        found += heard(hearer) or b""
    while (more := heard(hearer)) is not None:
        found += more
    assert found == chunk * chunks
    assert flow.reads
