"""Clients as browsers and apps are: each with an address of its own, a cookie jar, and one login."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from apps.contract.credentials import Cookies, Credential, Nothing, anonymous, load
from apps.contract.endpoints import ENDPOINTS, Caller
from apps.contract.registry import Strategy
from authbench.conformance.checks import caller_of
from authbench.conformance.visitor import Answer
from authbench.stack.ports import LOOPBACK

TIMEOUT_S = 10.0
UNANSWERED = Answer(0, (), b"")  # what stands in for an answer that never came


@dataclass(frozen=True, slots=True)
class Client:
    """One user's client; every call gives the client as it is afterwards."""

    strategy: Strategy
    address: str  # of the loopback network, the client's own
    jar: Cookies = field(default_factory=Cookies)  # all cookies: the login's, where it is one, and the balancer's
    credential: Credential = field(default_factory=Nothing)  # a login that is no cookie
    caller: Caller | None = None  # who it has logged in as
    home: str = ""  # the replica that logged it in

    def call(self, port: int, endpoint: str) -> tuple["Client", Answer]:
        """A `GET` from the client's own address on a connection of its own; `UNANSWERED` where there is no answer."""
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S, source_address=(self.address, 0))
        try:
            headers = {**dict(self.jar.attach()), **dict(self.credential.attach())}
            connection.request("GET", ENDPOINTS[endpoint].path, headers=headers)
            response = connection.getresponse()
            answer = Answer(response.status, tuple(response.getheaders()), response.read())
        except (OSError, http.client.HTTPException):
            return self, UNANSWERED
        finally:
            connection.close()
        jar, credential = self.jar.absorb(answer.headers, b""), self.credential.absorb(answer.headers, answer.body)
        assert isinstance(jar, Cookies)
        return replace(self, jar=jar, credential=credential), answer

    def logged_in(self, row: Mapping[str, Any], home: str) -> "Client":
        """The client with what a login at `home` gives it: a minted row, as that replica keeps it."""
        jar, credential = self.jar, anonymous(self.strategy.carrier)
        if self.strategy.carrier == "cookie":
            jar, credential = Cookies(tuple({**dict(jar.jar), **row["credential"]["cookies"]}.items())), Nothing()
        else:
            credential = load(self.strategy.carrier, row["credential"])
        return replace(self, jar=jar, credential=credential, caller=caller_of(dict(row)), home=home)


def networks(count: int, draw: Random) -> list[str]:
    """Addresses of clients who are strangers: no two in one network of 256 addresses. At most 62,500."""
    return [
        f"127.{number // 250 + 1}.{number % 250 + 1}.{draw.randrange(1, 255)}"
        for number in draw.sample(range(250 * 250), count)
    ]


def one_network(count: int, draw: Random) -> list[str]:
    """Addresses of clients in one network of 256 addresses, as of an office or a mobile carrier's gateway."""
    prefix = f"127.{draw.randrange(1, 255)}.{draw.randrange(1, 255)}"
    return [f"{prefix}.{1 + number % 254}" for number in range(count)]
