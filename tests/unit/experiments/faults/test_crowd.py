"""A crowd against a scripted server: one request of a user at a time, and a login where she is told she is out."""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from apps.contract.credentials import Cookies
from apps.contract.endpoints import Caller, whoami_body
from apps.contract.registry import strategies
from authbench.experiments.faults.crowd.client import Client
from authbench.experiments.faults.crowd.crowd import Crowd, Manner
from authbench.stack.ports import Ports

ANNA = Caller(1, "anna", ())
COOKIE = "__Host-sessionid"


class Shop:
    """Knows the session `new`, which a login gives; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line = head.partition(" HTTP")[0]
        self.asked.append(line)
        await asyncio.sleep(0)  # others may come in between
        self.at_once -= 1
        body, cookie = whoami_body(ANNA), ""
        if line == "POST /api/login":
            status, cookie = "200 OK", f"Set-Cookie: {COOKIE}=new; Path=/\r\n"
        elif f"{COOKIE}=new" in head:
            status = "200 OK"
        else:
            status, body = "401 Unauthorized", b"{}"
            cookie = f"Set-Cookie: {COOKIE}=; Max-Age=0; Path=/\r\n"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{cookie}\r\n".encode() + body)
        writer.close()
        await writer.wait_closed()


def fired(relogin: str | None, due: Iterator[tuple[float, str]]) -> tuple[Crowd, Shop, list[int]]:
    """One user, whose session the shop has forgotten, and her last look."""
    shop, ports = Shop(), Ports()

    async def run() -> tuple[Crowd, Shop, list[int]]:
        port = ports.take()
        old = Cookies(((COOKIE, "old"),))
        client = Client(strategies()["session-db"], ANNA, old, old)
        crowd = Crowd([client], Manner(port, 5.0, relogin, "m1"), Random(1))
        async with await asyncio.start_server(shop.serve, "127.0.0.1", port):
            await crowd.fire(asyncio.get_running_loop().time(), due, lambda: 10.0)
            return crowd, shop, await crowd.last_look(2)

    try:
        return asyncio.run(run())
    finally:
        ports.close()


@pytest.fixture
def due() -> Iterator[tuple[float, str]]:
    return iter([(0.0, "whoami"), (0.0, "whoami"), (0.0, "whoami")])


def test_whoever_stays_out_goes_on_as_a_stranger(due: Iterator[tuple[float, str]]) -> None:
    crowd, shop, look = fired(None, due)
    assert [each.outcome for each in crowd.ended] == ["refused"] * 3
    assert shop.asked == ["GET /api/whoami"] * 4
    assert look == [401]
    assert crowd.clients[0].deleted
    assert [each.identity for each in crowd.ended] == ["m1x1", "m1x2", "m1x3"]


def test_whoever_logs_in_again_is_counted_as_one_who_had_to(due: Iterator[tuple[float, str]]) -> None:
    crowd, shop, look = fired("the password", due)
    assert [(each.endpoint, each.outcome) for each in crowd.ended] == [
        ("whoami", "refused"),
        ("login", "ok"),
        ("whoami", "ok"),
    ]
    assert shop.asked[1] == "POST /api/login"
    assert look == [200]
    assert crowd.clients[0].returned


def test_a_user_asks_one_thing_at_a_time(due: Iterator[tuple[float, str]]) -> None:
    assert fired(None, due)[1].most_at_once == 1
