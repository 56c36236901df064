"""What the gateway does with a user's credential before it lets the request in."""

import json
from collections.abc import Mapping
from time import time
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.services.mesh import _internal_header
from apps.services.mesh._calls import Connections, Question
from apps.services.mesh._granted import ACCESS_TOKEN, TOKEN_EXCHANGE, TOKEN_PATH
from apps.services.mesh._told import ALGORITHM, INTERNAL_AUDIENCE, PUBLIC_AUDIENCE, public_key
from apps.shop.environment import service_address, shared_secret, signing_key
from apps.shop.problems import StoreOutage
from apps.strategies._bearer import bearer_token
from apps.strategies._tokens import LONGEST_TOKEN, Verifier, caller_of

Headers = Mapping[str, str]


class Entrance(Protocol):
    """How one way to check begins."""

    def admit(self, request: HttpRequest) -> Headers | None:
        """The headers that go to the first service, of which none is the client's own but those named here.

        None: refused. Raises StoreOutage where nobody can say.
        """
        ...


class PassOn:
    """The credential goes on as it came, unseen: services check it themselves."""

    def __init__(self) -> None:
        self._carrier = settings.MESH_CARRIER

    def admit(self, request: HttpRequest) -> Headers | None:
        """The header that carries it; nothing where there is none, so that the first service refuses."""
        value = request.headers.get(self._carrier)
        return {} if value is None else {self._carrier: value}


class Exchange:
    """The user's token for a narrower one, at the auth service, once a request (RFC 8693)."""

    def __init__(self) -> None:
        self._connections = Connections()
        self._address = urlsplit(service_address("AUTHBENCH_AUTH_URL")).netloc
        self._headers = {
            "Authorization": f"Bearer {shared_secret('AUTHBENCH_SERVICE_SECRET')}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def admit(self, request: HttpRequest) -> Headers | None:
        """The token that the service gives; what cannot be a token is not worth a call."""
        token = bearer_token(request)
        if not token or len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        wanted = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            "audience": INTERNAL_AUDIENCE,
            "scope": settings.MESH_SCOPE,
        }
        question = Question(self._address, TOKEN_PATH, self._headers, "POST", urlencode(wanted).encode())
        (answer,) = self._connections.ask([question])
        match answer.status, _json_object(answer.body):
            case 200, {"access_token": str(narrower)}:
                return {"Authorization": f"Bearer {narrower}"}
            case 400, {"error": "invalid_request"}:  # the rest of the request is ours, and right
                return None
        raise StoreOutage(f"the auth service answered {answer.status}")


class Sign:
    """The user's token is verified here and goes no further; services get a signed header instead."""

    def __init__(self) -> None:
        self._verifier = Verifier(ALGORITHM, public_key("AUTHBENCH_MESH_USER_KEY"), PUBLIC_AUDIENCE)
        self._key = signing_key("AUTHBENCH_MESH_HEADER_KEY")

    def admit(self, request: HttpRequest) -> Headers | None:
        """The header; whatever the client sent under its name is not looked at."""
        token = bearer_token(request)
        claims = self._verifier.verify(token) if token else None
        if claims is None:
            return None
        caller: Caller = caller_of(claims)
        return {_internal_header.NAME: _internal_header.sign(self._key, caller, INTERNAL_AUDIENCE, int(time()))}


def _json_object(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
