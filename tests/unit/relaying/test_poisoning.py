"""Toxics on real sockets, turn by turn: what arrives, what does not, and how connections end."""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from authbench.relaying.loop import Relay
from authbench.stack.ports import LOOPBACK, Ports

WITHIN_S = 5.0
TOKEN = "hush"
AT_ONCE_S = 0.02  # in which what would come at once has come


class World:
    """A relay of no distance, with a control; the test is client and store."""

    def __init__(self, ports: Ports) -> None:
        self.front, self.control = ports.take(), ports.take()
        self.listener = socket.create_server((LOOPBACK, 0))
        self.relay = Relay(0, spin_ns=0)
        self.relay.listen("store", self.front, self.listener.getsockname()[1])
        self.relay.obey(self.control, TOKEN)
        self.open: list[socket.socket] = [self.listener]

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """A client, and its store's end."""
        client = socket.create_connection((LOOPBACK, self.front), timeout=WITHIN_S)
        self.relay.turn()
        store, _ = self.listener.accept()
        store.settimeout(WITHIN_S)
        self.open += [client, store]
        return client, store

    def turn(self) -> None:
        """A turn of the loop, unless it would only wait."""
        due = self.relay._due and self.relay._due[0][0] <= time.monotonic_ns()
        if due or select.select([self.relay._epoll], [], [], 0)[0]:
            self.relay.turn()

    def send(self, line: bytes) -> dict[str, object]:
        """The control's answer to a raw line."""
        with socket.create_connection((LOOPBACK, self.control), timeout=WITHIN_S) as asking:
            asking.sendall(line)
            deadline = time.monotonic() + WITHIN_S
            while not select.select([asking], [], [], 0)[0]:
                assert time.monotonic() < deadline
                self.turn()
            said = asking.recv(4096)
            answer: dict[str, object] = json.loads(said) if said else {}
            return answer

    def command(self, **word: object) -> dict[str, object]:
        return self.send(json.dumps({"token": TOKEN, "route": "store", **word}).encode() + b"\n")

    def hears(self, hearer: socket.socket, within_s: float = WITHIN_S) -> bytes | None:
        """The next that comes, b"" for an orderly end; None where nothing does. Raises ConnectionResetError."""
        deadline = time.monotonic() + within_s
        while not select.select([hearer], [], [], 0)[0]:
            if time.monotonic() > deadline:
                return None
            self.turn()
        return hearer.recv(100_000)

    def close(self) -> None:
        self.relay.close()
        for each in self.open:
            each.close()


@pytest.fixture
def world() -> Iterator[World]:
    ports = Ports()
    made = World(ports)
    yield made
    made.close()
    ports.close()


def test_latency_holds_back_one_way_and_keeps_the_order(world: World) -> None:
    client, store = world.connect()
    assert world.command(kind="latency", latency_ms=50) == {"done": True}
    client.sendall(b"question")
    assert world.hears(store) == b"question"
    begun = time.monotonic()
    store.sendall(b"one")
    world.relay.turn()
    store.sendall(b"two")
    heard = b""
    while len(heard) < 6:
        heard += world.hears(client) or b""
    assert heard == b"onetwo"
    assert time.monotonic() - begun >= 0.05


def test_what_a_toxic_held_back_comes_when_it_is_cleared(world: World) -> None:
    client, store = world.connect()
    world.command(kind="latency", latency_ms=60_000)
    store.sendall(b"late")
    assert world.hears(client, AT_ONCE_S) is None
    assert world.command() == {"done": True}
    assert world.hears(client) == b"late"
    store.sendall(b"at once")
    assert world.hears(client) == b"at once"


def test_upstream_means_what_the_store_is_sent(world: World) -> None:
    client, store = world.connect()
    world.command(kind="latency", latency_ms=60_000, stream="upstream")
    store.sendall(b"answer")
    assert world.hears(client) == b"answer"
    client.sendall(b"question")
    assert world.hears(store, AT_ONCE_S) is None


def test_bandwidth_lets_a_tenth_of_a_second_through_at_a_time(world: World) -> None:
    client, store = world.connect()
    world.command(kind="bandwidth", rate_kbps=1)
    begun = time.monotonic()
    store.sendall(bytes(250))
    sizes = [len(world.hears(client) or b"") for _ in range(3)]
    assert sum(sizes) == 250
    assert sizes[0] <= 200  # two pieces at most, should the machine have been away
    assert time.monotonic() - begun >= 0.25


def test_timeout_swallows_and_its_end_closes_what_it_held(world: World) -> None:
    client, store = world.connect()
    world.command(kind="timeout")
    client.sendall(b"question")
    assert world.hears(store) == b"question"  # it reaches the store
    store.sendall(b"answer")
    assert world.hears(client, AT_ONCE_S) is None
    late, _ = world.connect()
    assert world.hears(late, AT_ONCE_S) is None
    world.command()
    assert world.hears(client) == b""
    assert world.hears(late) == b""
    client, store = world.connect()
    store.sendall(b"answer")
    assert world.hears(client) == b"answer"


def test_timeout_closes_open_and_new_connections_after_its_time(world: World) -> None:
    client, _ = world.connect()
    begun = time.monotonic()
    world.command(kind="timeout", timeout_ms=30)
    assert world.hears(client) == b""
    assert time.monotonic() - begun >= 0.03
    begun = time.monotonic()
    late, _ = world.connect()
    assert world.hears(late) == b""
    assert time.monotonic() - begun >= 0.03


def test_a_client_that_gives_up_on_a_timeout_is_seen_by_the_store(world: World) -> None:
    client, store = world.connect()
    world.command(kind="timeout")
    client.close()
    assert world.hears(store) == b""


def test_reset_peer_resets_both_ends_at_the_first_answer(world: World) -> None:
    client, store = world.connect()
    world.command(kind="reset_peer")
    client.sendall(b"question")
    assert world.hears(store) == b"question"
    assert world.hears(client, AT_ONCE_S) is None  # an idle connection is not reset
    store.sendall(b"answer")
    with pytest.raises(ConnectionResetError):
        world.hears(client)
    with pytest.raises(ConnectionResetError):
        world.hears(store)


def test_reset_peer_waits_its_time_and_passes_nothing_meanwhile(world: World) -> None:
    client, store = world.connect()
    world.command(kind="reset_peer", timeout_ms=40)
    begun = time.monotonic()
    store.sendall(b"answer")
    with pytest.raises(ConnectionResetError):
        world.hears(client)
    assert time.monotonic() - begun >= 0.04


def test_down_refuses_new_connections_and_drops_open_ones_until_it_is_cleared(world: World) -> None:
    client, store = world.connect()
    assert world.command(kind="down") == {"done": True}
    assert world.hears(client) == b""
    assert world.hears(store) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, world.front), timeout=WITHIN_S)
    assert world.command(kind="down") == {"done": True}  # again: it stays
    assert world.command() == {"done": True}
    client, store = world.connect()
    client.sendall(b"up")
    assert world.hears(store) == b"up"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"route": "store"}\n', "no token"),
        (b'{"route": "store", "kind": "down", "token": "guess"}\n', "wrong token"),
        (b"[" * 4000 + b"\n", ""),
        (b"\xff\n", ""),
        (b'{"token": "hush", "route": "nowhere"}\n', "no route 'nowhere'"),
        (b'{"token": "hush", "route": ["store"]}\n', "no route"),
        (b'{"token": "hush", "route": "store", "kind": "slicer"}\n', "no toxic 'slicer'"),
    ],
)
def test_the_control_refuses_everything_else_and_lives_on(world: World, line: bytes, error: str) -> None:
    answer = world.send(line)
    assert error in str(answer["error"])
    client, store = world.connect()
    store.sendall(b"untouched")
    assert world.hears(client) == b"untouched"


def test_a_line_that_never_ends_holds_up_nobody(world: World) -> None:
    with socket.create_connection((LOOPBACK, world.control), timeout=WITHIN_S) as asking:
        asking.sendall(b'{"token"')
        client, store = world.connect()
        store.sendall(b"meanwhile")
        assert world.hears(client) == b"meanwhile"
        with suppress(ConnectionError):
            asking.sendall(bytes(8192))
        with suppress(ConnectionResetError):  # closed with some of it unread
            assert world.hears(asking) == b""


def test_a_refused_toxic_leaves_the_one_that_is_there(world: World) -> None:
    client, store = world.connect()
    world.command(kind="timeout")
    assert "error" in world.command(kind="bandwidth")
    store.sendall(b"answer")
    assert world.hears(client, AT_ONCE_S) is None
