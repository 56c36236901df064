"""The target's own word that it may be loaded: a file that it serves, fetched once from the address to be loaded."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from threading import Timer

CONSENT = "/.well-known/authbench.txt"
LINE = "allow-load-from-authbench:"
MOST_BYTES = 4096
CONNECTS_WITHIN_S = 3.0
ANSWERS_WITHIN_S = 5.0  # the whole of it, however slowly it drips


def gives_consent(address: str, port: int, authority: str) -> str | None:
    """None where the server at that address serves CONSENT with a line `LINE authority`; else why not, in one line.

    One connection to that very address and one request: no redirect is followed, no proxy asked. The answer has to be
    a 200 of text/plain, so that a page which repeats what it was asked for is no consent.
    """
    wanted = f"{LINE} {authority}"
    connection = http.client.HTTPConnection(address, port, timeout=CONNECTS_WITHIN_S)
    try:
        connection.connect()
        with _cut_off(connection.sock, ANSWERS_WITHIN_S):
            told = {"Host": authority, "User-Agent": "authbench", "Accept": "text/plain"}
            connection.request("GET", CONSENT, headers=told)
            answer = connection.getresponse()
            text = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        return f"{CONSENT} at {address}:{port}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    if answer.status != 200:
        return f"{CONSENT} at {address}:{port} answers {answer.status}, and no redirect is followed"
    if answer.headers.get_content_type() != "text/plain":
        return f"{CONSENT} at {address}:{port} is {answer.headers.get_content_type()}, not text/plain"
    if len(text) > MOST_BYTES:
        return f"{CONSENT} at {address}:{port} has more than {MOST_BYTES} bytes"
    if wanted not in (line.strip().lower() for line in text.decode("utf-8", "replace").splitlines()):
        return f"{CONSENT} at {address}:{port} has no line '{wanted}'"
    return None


@contextlib.contextmanager
def _cut_off(used: socket.socket, after_s: float) -> Iterator[None]:
    """Ends what the socket waits for when the time is over: its own timeout is for each read alone."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            used.shutdown(socket.SHUT_RDWR)

    timer = Timer(after_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
