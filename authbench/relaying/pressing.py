"""Exchanges that others make through a relay: a Valkey client on many connections at a rate, Poisson, until its end.

`python -m authbench.relaying.pressing PORT CONNECTIONS RATE_RPS SECONDS`; the password comes from PASSWORD.
"""

import os
import random
import select
import socket
import sys
import time

LOOPBACK = "127.0.0.1"
PASSWORD = "AUTHBENCH_PRESSING_PASSWORD"  # noqa: S105 - the variable's name
CONNECTS_WITHIN_S = 10.0
ANSWER_BYTES = 256  # more than any answer here has


def connected(port: int, password: str) -> socket.socket:
    """A connection that may speak. Raises OSError."""
    made = socket.create_connection((LOOPBACK, port), timeout=CONNECTS_WITHIN_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.sendall(f"AUTH {password}\r\n".encode())
    if made.recv(ANSWER_BYTES) != b"+OK\r\n":
        raise OSError(f"port {port}: no Valkey that takes the password")
    return made


def press(connections: list[socket.socket], rate_rps: float, seconds: float, draw: random.Random) -> int:
    """Sends at that rate on whichever connection waits for no answer; how many were answered."""
    idle, busy, answered = list(connections), set[socket.socket](), 0
    begun = time.monotonic()
    due = begun + draw.expovariate(rate_rps)
    while (now := time.monotonic()) < begun + seconds:
        while idle and due <= now:
            chosen = idle.pop(0)  # the one that has been idle longest: all are used
            chosen.sendall(b"PING\r\n")
            busy.add(chosen)
            due += draw.expovariate(rate_rps)
        wait = max(due - now, 0.0) if idle else 1.0
        for ready in select.select(busy, (), (), wait)[0]:
            if not ready.recv(ANSWER_BYTES):
                raise OSError("the store closed a connection")
            busy.remove(ready)
            idle.append(ready)
            answered += 1
    return answered


def main(arguments: list[str]) -> None:
    """Raises OSError where the store cannot be reached or goes, ValueError for other arguments."""
    port, count, rate_rps, seconds = arguments
    everyone = [connected(int(port), os.environ[PASSWORD]) for _ in range(int(count))]
    press(everyone, float(rate_rps), float(seconds), random.Random(0))  # noqa: S311 - arrivals, not a secret
    for each in everyone:
        each.close()


if __name__ == "__main__":
    main(sys.argv[1:])
