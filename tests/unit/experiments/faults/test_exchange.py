"""A client knows whether anything of its request can have arrived."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from authbench.conformance.outcome import Silence
from authbench.conformance.visitor import Answer
from authbench.experiments.faults.crowd.exchange import exchange
from authbench.stack.ports import Ports

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WHOLE = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\nX-Replica: r1\r\nSet-Cookie: a=b\r\n\r\nbody"


def asked(serve: Serve | None, timeout_s: float = 5.0) -> Answer | Silence:
    """What a client sees of such a server; None: nobody listens."""

    async def run() -> Answer | Silence:
        ports = Ports()
        port = ports.take()
        try:
            if serve is None:
                return await exchange(port, "GET", "/", (), b"", timeout_s)
            served = asyncio.Event()

            async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await serve(reader, writer)
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                served.set()

            async with await asyncio.start_server(once, "127.0.0.1", port):
                found = await exchange(port, "POST", "/api/orders", (("X-Request-ID", "x1"),), b"{}", timeout_s)
                await asyncio.wait_for(served.wait(), 5)
                return found
        finally:
            ports.close()

    return asyncio.run(run())


def replying(reply: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.readuntil(b"\r\n\r\n")
        assert heard.startswith(b"POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"X-Request-ID: x1\r\n" in heard
        assert b"Content-Length: 2\r\n" in heard
        writer.write(reply)
        writer.close()

    return serve


def test_a_whole_answer() -> None:
    found = asked(replying(WHOLE))
    assert isinstance(found, Answer)
    assert (found.status, found.replica, found.body) == (201, "r1", b"body")
    assert found.header("set-cookie") == "a=b"


def test_where_nobody_listens_nothing_was_sent() -> None:
    assert asked(None) == "not sent"


def test_an_answer_that_breaks_off_is_none() -> None:
    for torn in (b"", WHOLE[:-1], WHOLE[:20], b"nonsense\r\n\r\n", WHOLE.replace(b"201 Created", b"xyz")):
        assert asked(replying(torn)) == "no whole answer", torn


def test_a_reset_after_sending_leaves_it_open() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    assert asked(serve) == "no whole answer"


def test_silence_ends_after_the_timeout() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the client gives up
        writer.close()

    assert asked(serve, timeout_s=0.2) == "no whole answer"
