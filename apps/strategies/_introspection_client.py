"""Asking a central service whose a token is (RFC 7662), over connections that are kept."""

import http.client
import json
import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from apps.contract.endpoints import Caller
from apps.services import in_process
from apps.shop.problems import StoreOutage

CONNECT_S = 1.0
READ_S = 2.0  # for each piece of an answer, which comes in one
LARGEST_ANSWER = 64 * 1024  # bytes
PATH = "/introspect"
TIMES = ("auth_time", "iat", "exp")
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)

Answer = Mapping[str, Any]


class IntrospectionClient:
    """One connection a thread. Whatever is no clear answer is an outage, and raises StoreOutage."""

    def __init__(self, address: str, secret: str) -> None:
        self._host = urlsplit(address).netloc  # empty: the service is in this process
        self._kept = threading.local()
        self._headers = {
            "Authorization": f"Bearer {secret}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }

    def introspect(self, token: str) -> Answer | None:
        """What the service says of an active token; None for any other. `token` is base64url: nothing to quote."""
        status, body = self._send("POST", PATH, f"token={token}".encode("ascii"))
        if status != 200:  # 401 means that the secret is wrong: nothing that a user could do better
            raise StoreOutage(f"the auth service answered {status}")
        answer = _json_object(body)
        match answer:
            case {"active": False}:
                return None
            case {"active": True, "sub": str(sub), "username": str(), "permissions": list()} if _ID.fullmatch(sub):
                if all(type(answer.get(name)) is int for name in TIMES):
                    return answer
        raise StoreOutage("the auth service answered what is no introspection response")

    def is_ready(self) -> bool:
        """Whether the service says so of itself; one in this process is as ready as the process."""
        return not self._host or self._send("GET", "/healthz", b"")[0] == 200

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if not self._host:
            response = in_process.ask(method, path, self._headers, body)
            return response.status_code, response.content
        kept = getattr(self._kept, "connection", None)
        try:
            if kept is not None:
                try:
                    return self._exchange(kept, method, path, body)
                # The service closed it while it was idle. It has seen nothing of the request, which changes nothing.
                except (http.client.RemoteDisconnected, ConnectionError):
                    pass
            return self._exchange(self._connect(), method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise StoreOutage(f"the auth service does not answer ({type(error).__name__})") from error

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._host, timeout=CONNECT_S)
        connection.connect()
        connection.sock.settimeout(READ_S)
        return connection

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes
    ) -> tuple[int, bytes]:
        self._kept.connection = None  # put back when the answer has been read to its end
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            content = response.read(LARGEST_ANSWER)
            if response.isclosed() and not response.will_close:
                self._kept.connection, connection = connection, None
            return response.status, content
        finally:
            if connection is not None:
                connection.close()


def caller_of(answer: Answer) -> Caller:
    """Whom an active token's answer names."""
    return Caller(int(answer["sub"]), answer["username"], tuple(answer["permissions"]))


def _json_object(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
