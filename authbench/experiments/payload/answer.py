"""One request, and who answered it: the load balancer, a replica's HTTP server, or the application."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.contract.credentials import Headers
from apps.contract.endpoints import ENDPOINTS, REPLICA_HEADER
from authbench.experiments.payload.measures import Refuser

TIMEOUT_S = 10.0
GATEWAY = frozenset({502, 504})  # the balancer's own words for a replica that closed, or was silent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered. `status` None: the connection was closed without an answer."""

    status: int | None
    body: bytes = b""
    from_shop: bool = False  # the application's own header is on it

    def refuser(self, *, balanced: bool) -> Refuser:
        """Who did not let it in. `balanced`: it went through the load balancer."""
        if self.status == 200:
            return Refuser.NOBODY
        if self.from_shop:
            return Refuser.SHOP
        if not balanced or self.status in GATEWAY:
            return Refuser.SERVER
        return Refuser.BALANCER if self.status is None or b"<center>nginx</center>" in self.body else Refuser.SERVER


def ask(url: str, headers: Headers) -> Answer:
    """Asks who calls, on a connection of its own."""
    endpoint = ENDPOINTS["whoami"]
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
    try:
        connection.request(endpoint.method, endpoint.path, headers=dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), answer.getheader(REPLICA_HEADER) is not None)
    except (OSError, http.client.HTTPException):
        return Answer(None)
    finally:
        connection.close()
