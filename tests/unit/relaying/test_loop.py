"""The loop on real sockets, turn by turn: a client, a store that the test is itself, and no distance."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from authbench.relaying.loop import Relay
from authbench.stack.ports import LOOPBACK, Ports

WITHIN_S = 5.0


@dataclass
class World:
    relay: Relay
    client: socket.socket
    store: socket.socket
    status_port: int

    def said(self, speaker: socket.socket, hearer: socket.socket, text: bytes) -> bytes:
        """What the hearer gets of what the speaker says."""
        speaker.sendall(text)
        self.relay.turn()
        return hearer.recv(100)

    def status(self) -> dict[str, object]:
        with socket.create_connection((LOOPBACK, self.status_port), timeout=WITHIN_S) as asked:
            self.relay.turn()
            found: dict[str, object] = json.loads(b"".join(iter(lambda: asked.recv(65_536), b"")))
            return found


@pytest.fixture
def world() -> Iterator[World]:
    ports = Ports()
    try:
        front, status = ports.take(), ports.take()
        with socket.create_server((LOOPBACK, 0)) as listener:
            relay = Relay(0)
            relay.listen("store", front, listener.getsockname()[1])
            relay.answer(status)
            client = socket.create_connection((LOOPBACK, front), timeout=WITHIN_S)
            relay.turn()
            store, _ = listener.accept()
            store.settimeout(WITHIN_S)
            with client, store:
                yield World(relay, client, store, status)
            relay.close()
    finally:
        ports.close()


def route(world: World) -> dict[str, int]:
    routes = world.status()["routes"]
    assert isinstance(routes, dict)
    found: dict[str, int] = routes["store"]
    return found


def test_an_exchange_is_a_client_that_speaks_after_the_store(world: World) -> None:
    assert world.said(world.client, world.store, b"one ") == b"one "
    assert world.said(world.client, world.store, b"more") == b"more"  # of the same
    assert world.said(world.store, world.client, b"answer") == b"answer"
    assert world.said(world.client, world.store, b"two") == b"two"
    assert route(world) == {"accepted": 1, "open": 1, "exchanges": 2, "bytes_up": 11, "bytes_down": 6}


def test_a_client_that_stops_speaking_still_hears(world: World) -> None:
    world.client.shutdown(socket.SHUT_WR)
    world.relay.turn()
    assert world.store.recv(100) == b""
    assert world.said(world.store, world.client, b"late answer") == b"late answer"
    world.store.close()
    world.relay.turn()
    assert world.client.recv(100) == b""
    assert route(world)["open"] == 0


def test_a_reset_reaches_the_other_end(world: World) -> None:
    world.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    world.client.close()
    world.relay.turn()
    with pytest.raises(ConnectionResetError):
        world.store.recv(100)
    assert route(world)["open"] == 0


def test_a_store_that_is_not_there_ends_the_connection() -> None:
    ports = Ports()
    try:
        front, nobody = ports.take(), ports.take()
        relay = Relay(0)
        relay.listen("store", front, nobody)
        with socket.create_connection((LOOPBACK, front), timeout=WITHIN_S) as client:
            relay.turn()
            relay.turn()
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        relay.close()
    finally:
        ports.close()
