"""How the bench commands a running relay: one line of JSON a connection, with a token that only the two know."""

import contextlib
import hmac
import json
import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

from authbench.relaying.entrance import listening

CONTROL_PORT, CONTROL_TOKEN = "AUTHBENCH_RELAY_CONTROL", "AUTHBENCH_RELAY_TOKEN"  # variables of its environment
LONGEST_LINE = 4096
Command = Callable[[Mapping[str, Any]], None]  # raises ValueError for what it cannot do


class Control:
    """Answers `{"done": true}`, or `{"error": …}` where the command was refused; then closes.

    Nobody who connects can hold up the relay: a line is read as it comes, and one that is too long ends the connection.
    """

    def __init__(self, port: int, token: str, command: Command, epoll: select.epoll) -> None:
        self._listener = listening(port)
        self._token = token
        self._command = command
        self._epoll = epoll
        self._speakers: dict[int, tuple[socket.socket, bytearray]] = {}
        epoll.register(self._listener, select.EPOLLIN)

    def stir(self, descriptor: int) -> bool:
        """Goes on with what has come there; False where that is no descriptor of its own."""
        if descriptor == self._listener.fileno():
            self._accept()
        elif descriptor in self._speakers:
            self._hear(*self._speakers[descriptor])
        else:
            return False
        return True

    def close(self) -> None:
        """Lets go of everything that is open."""
        self._listener.close()
        for speaker, _ in self._speakers.values():
            speaker.close()
        self._speakers.clear()

    def _accept(self) -> None:
        try:
            speaker, _ = self._listener.accept()
        except OSError:
            return
        speaker.setblocking(False)
        self._speakers[speaker.fileno()] = (speaker, bytearray())
        self._epoll.register(speaker, select.EPOLLIN)

    def _hear(self, speaker: socket.socket, heard: bytearray) -> None:
        try:
            came = speaker.recv(LONGEST_LINE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            came = b""
        heard += came
        line, ended, _ = bytes(heard).partition(b"\n")
        if ended:
            with contextlib.suppress(OSError):  # a short answer always fits in what the kernel holds
                speaker.send(json.dumps(self._answer(line)).encode())
        if ended or not came or len(heard) > LONGEST_LINE:
            del self._speakers[speaker.fileno()]
            speaker.close()

    def _answer(self, line: bytes) -> dict[str, object]:
        try:
            word = json.loads(line)
            if not isinstance(word, dict) or not isinstance(token := word.pop("token", None), str):
                return {"error": "no token"}
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                return {"error": "wrong token"}
            self._command(word)
        except (ValueError, RecursionError, OSError) as error:  # OSError: a port that cannot be listened on again
            return {"error": str(error)}
        return {"done": True}
