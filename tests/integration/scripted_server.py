"""A server that behaves as the path says, and counts: what the generator's own counts are compared with.

`python -m tests.integration.scripted_server`: prints `{"port": N}` when it listens. One thread: `/stall/<ms>` holds
everybody up, as a stalled server does.
"""

import asyncio
import json
import sys
import time
from collections import Counter

ANN = b'{"id":1,"username":"ann","permissions":[]}'
BOB = b'{"id":2,"username":"bob","permissions":[]}'
ANSWERS = {  # status line, headers, body
    "/ann": (b"200 OK", b"X-Replica: r1\r\n", ANN),
    "/ann2": (b"200 OK", b"X-Replica: r2\r\n", ANN),
    "/bob": (b"200 OK", b"X-Replica: r1\r\n", BOB),
    "/401": (b"401 Unauthorized", b"", b"{}"),
    "/403": (b"403 Forbidden", b"", b"{}"),
    "/500": (b"500 Internal Server Error", b"", b"oops"),
    "/302": (b"302 Found", b"Location: /ann\r\n", b""),
    "/api/login": (b"200 OK", b"", ANN[:-1] + b',"access_token":"token-of-ann"}'),
    "/api/whoami": (b"200 OK", b"", ANN),
    "/last": (b"200 OK", b"Connection: close\r\n", ANN),
}
ROLL, ROLL_CUT, ROLL_SLOW, ROLL_403 = "/roll", "/roll/cut", "/roll/slow", "/roll/403"  # one-time tokens
SLOW_S = 0.05
SILENT, CUT, HALF, NONSENSE = "/silent", "/cut", "/half", "/nonsense"

seen: Counter[str] = Counter()
used: Counter[str] = Counter()  # one-time tokens `user.n`, by user; the first is the user's name alone


class Scripted(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.transport = transport
        self.pending = b""
        seen["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            head, _, self.pending = self.pending.partition(b"\r\n\r\n")
            path = head.split(b" ")[1].decode().partition("?")[0]
            if path == "/seen":
                body = json.dumps(seen).encode()
                self.answer(b"200 OK", b"Connection: close\r\n", body)
                self.transport.close()
            else:
                seen[path] += 1
                seen["bearer"] += b"\r\nAuthorization: Bearer token-of-ann" in head
                if path == "/api/login":  # its body is whatever follows
                    self.pending = b""
                if path.startswith(ROLL):
                    self.roll(path, head)
                else:
                    self.act(path)

    def act(self, path: str) -> None:
        if path.startswith("/stall/"):
            time.sleep(int(path.removeprefix("/stall/")) / 1000)  # the stall is what is tested
            self.answer(*ANSWERS["/ann"])
        elif path == "/chunked":
            self.transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.transport.write(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (ANN[:9], ANN[9:], b"")))
        elif path == CUT:
            self.transport.abort()
        elif path == HALF:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{")
            self.transport.close()
        elif path == NONSENSE:
            self.transport.write(b"220 mail.example ESMTP\r\n")
        elif path != SILENT:
            self.answer(*ANSWERS[path])
            if path == "/last":
                self.transport.close()

    def roll(self, path: str, head: bytes) -> None:
        """Takes each token once, in its order, and gives the next; a token of another place in the chain gets 401."""
        token = head.partition(b"\r\nAuthorization: Bearer ")[2].partition(b"\r\n")[0].decode()
        user, _, place = token.partition(".")
        if place != (str(used[user]) if used[user] else ""):
            self.answer(*ANSWERS["/401"])
            return
        used[user] += 1
        status, _, body = ANSWERS["/403" if path == ROLL_403 else "/ann"]
        answer = status, f'Authentication-Info: next-token="{user}.{used[user]}"\r\n'.encode(), body
        if path == ROLL_CUT:
            self.transport.abort()
        elif path == ROLL_SLOW:
            asyncio.get_running_loop().call_later(SLOW_S, self.answer, *answer)
        else:
            self.answer(*answer)

    def answer(self, status: bytes, headers: bytes, body: bytes) -> None:
        self.transport.write(b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(body), body))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Scripted, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()  # ends with its parent


if __name__ == "__main__":
    asyncio.run(main())
