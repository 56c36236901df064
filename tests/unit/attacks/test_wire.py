"""What goes over the wire is what was written, and what comes back is read whatever the other side does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from authbench.attacks.wire import NO_ANSWER, Request, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def server(*answers: bytes, reads: bool = True, hangs_up: bool = True) -> Iterator[tuple[str, list[bytes], list[int]]]:
    """Answers requests in turn; `b""` closes the connection in place of an answer. Its address, what came, on which."""
    listening = socket.create_server(("127.0.0.1", 0))
    came: list[bytes] = []
    connections: list[int] = []

    def serve() -> None:
        waiting = list(answers)
        while waiting:
            connection, _ = listening.accept()
            connections.append(len(connections))
            with connection:
                connection.settimeout(5)
                while waiting:
                    if reads and not (received := connection.recv(65_536)):
                        break
                    came.append(received if reads else b"")
                    answer = waiting.pop(0)
                    connection.sendall(answer)
                    if not answer or (hangs_up and b"close" in answer):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", came, connections
    finally:
        listening.close()
        thread.join(5)


def test_headers_go_out_as_they_were_written() -> None:
    headers = (("Authorization", "a"), ("Authorization", "b\udcff"), ("X_Y", "\u2000"))
    with server(OK) as (url, came, _), Wire() as wire:
        answer = wire.send(Request("GET", f"{url}/api/whoami?x=%2e", headers))
    assert (answer.status, answer.body) == (200, b"ok")
    first, host, *rest = came[0].split(b"\r\n")
    assert first == b"GET /api/whoami?x=%2e HTTP/1.1"
    assert host == f"Host: {url.removeprefix('http://')}".encode()
    assert rest == [b"Authorization: a", b"Authorization: b\xff", b"X_Y: \xe2\x80\x80", b"", b""]


def test_a_body_brings_its_length_unless_somebody_has_written_another() -> None:
    assert b"\r\nContent-Length: 3\r\n\r\nabc" in Request("POST", "http://h:1/", (), b"abc").wire()
    assert b"\r\nContent-Length: 0\r\n\r\n" in Request("POST", "http://h:1/").wire()
    assert b"Content-Length" not in Request("GET", "http://h:1/").wire()
    odd = Request("POST", "http://h:1/", (("Transfer-Encoding", "x"), ("Host", "other")), b"abc").wire()
    assert odd == b"POST / HTTP/1.1\r\nTransfer-Encoding: x\r\nHost: other\r\n\r\nabc"


def test_one_connection_serves_as_long_as_the_other_side_keeps_it() -> None:
    with server(OK, OK, LAST, OK) as (url, _, connections), Wire() as wire:
        statuses = [wire.send(Request("GET", f"{url}/")).status for _ in range(4)]
    assert statuses == [200, 200, 400, 200]
    assert len(connections) == 2


def test_a_kept_connection_that_was_closed_meanwhile_is_no_refusal() -> None:
    with server(OK, b"", OK) as (url, _, connections), Wire() as wire:
        statuses = [wire.send(Request("GET", f"{url}/")).status for _ in range(2)]
    assert statuses == [200, 200]
    assert len(connections) == 2


def test_no_answer_at_all_is_told_as_such() -> None:
    with server(b"") as (url, _, _), Wire() as wire:
        assert wire.send(Request("GET", f"{url}/")).status == NO_ANSWER
        port = url
    with Wire() as wire:
        assert wire.send(Request("GET", f"{port}/")).status == NO_ANSWER  # nobody listens


def test_after_odd_framing_the_connection_is_not_used_again() -> None:
    with server(OK, OK) as (url, _, connections), Wire() as wire:
        wire.send(Request("POST", f"{url}/", (("Content-Length", "0"),)))
        wire.send(Request("GET", f"{url}/"))
    assert len(connections) == 2


@pytest.mark.parametrize("megabytes", [8])
def test_a_refusal_that_comes_before_everything_was_sent_is_read(megabytes: int) -> None:
    with server(LAST, reads=False, hangs_up=False) as (url, _, _), Wire() as wire:
        status = wire.send(Request("POST", f"{url}/", (), b"a" * megabytes * 1_000_000)).status
    assert status in (400, NO_ANSWER)  # a reset may overtake it; it is never taken for an answer of another kind
