"""One HTTP/1.1 request on a connection of its own, such that the client knows whether anything was sent."""

import asyncio
from collections.abc import Sequence

from authbench.conformance.outcome import Silence
from authbench.conformance.visitor import Answer
from authbench.stack.ports import LOOPBACK

Headers = Sequence[tuple[str, str]]
HEAD_END = b"\r\n\r\n"


async def exchange(
    port: int, method: str, path: str, headers: Headers, body: bytes, timeout_s: float
) -> Answer | Silence:
    """The whole answer of whoever listens there; else whether the request may have arrived. Raises nothing."""
    sent = False
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            sent = True  # from the first byte on, nobody knows how many arrived
            writer.write(_request(port, method, path, headers, body))
            received = await reader.read(-1)  # `Connection: close`: the answer ends with the connection
    except (OSError, TimeoutError):
        return "no whole answer" if sent else "not sent"
    finally:
        if writer is not None:
            writer.close()
    return _answer(received) or "no whole answer"


def _request(port: int, method: str, path: str, headers: Headers, body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {LOOPBACK}:{port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + HEAD_END + body


def _answer(received: bytes) -> Answer | None:
    """None where it is cut off, or no HTTP: every answer of the stack tells its length."""
    head, found, body = received.partition(HEAD_END)
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not found or not version.startswith("HTTP/1.") or not status[:3].isdigit():
        return None
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in rest))
    answer = Answer(int(status[:3]), headers, body)
    return answer if answer.header("Content-Length") == str(len(body)) else None
