"""Servers that count who comes, on loopback and on an address of this machine that is not loopback."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import pytest

Answers = Mapping[str, bytes]
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def foreign_address() -> str:
    """An IPv4 address of this machine that is not loopback: where load must not go. Skips where there is none."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                return str(each.address)
    pytest.skip("this machine has no address but loopback")


def text(body: str, kind: str = "text/plain") -> bytes:
    """A whole 200."""
    content = body.encode()
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def redirect(location: str) -> bytes:
    """A whole 302."""
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass
class Listener:
    """What came to it: connections, and the paths that were asked for."""

    address: str
    port: int
    answers: dict[str, bytes] = field(default_factory=dict)  # by path; whatever else is a 404
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def paths(self) -> list[str]:
        return [request.split(b" ")[1].decode() for request in self.requests]


@contextmanager
def listening(address: str = "127.0.0.1", answers: Answers | None = None) -> Iterator[Listener]:
    """A server on a free port of that address for as long as the block runs."""
    with socket.create_server((address, 0)) as server:
        listener = Listener(address, server.getsockname()[1], dict(answers or {}))
        threading.Thread(target=_accept, args=(server, listener), daemon=True).start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, listener: Listener) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        listener.connections += 1
        threading.Thread(target=_serve, args=(connection, listener), daemon=True).start()


def _serve(connection: socket.socket, listener: Listener) -> None:
    pending = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in pending:
                try:
                    received = connection.recv(65_536)
                except OSError:
                    return
                if not received:
                    return
                pending += received
            request, _, pending = pending.partition(b"\r\n\r\n")
            listener.requests.append(request)
            path = request.split(b" ")[1].decode()
            try:
                connection.sendall(listener.answers.get(path, NOT_FOUND))
            except OSError:
                return
