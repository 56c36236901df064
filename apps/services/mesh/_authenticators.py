"""How a service checks a caller where no strategy does it so: with a public key alone, or by the signed header."""

from time import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.services.mesh import _internal_header
from apps.services.mesh._told import ALGORITHM, public_key
from apps.shop.environment import signing_key
from apps.strategies._jwt import JwtClaims
from apps.strategies._tokens import Verifier

INTERNAL = "HTTP_" + _internal_header.NAME.upper().replace("-", "_")


class PublicKeyJwt(JwtClaims):
    """`jwt-es256`'s own check, by a process that could not issue a token."""

    def _halves(self, audience: str) -> tuple[Any, Any]:  # noqa: ARG002 - the settings say whom tokens are for
        return None, Verifier(ALGORITHM, public_key(settings.MESH_TOKEN_KEY), settings.MESH_AUDIENCE)


class InternalHeader:
    """The gateway has authenticated the request, and says whom it found."""

    vary = _internal_header.NAME

    def __init__(self) -> None:
        self._key = signing_key("AUTHBENCH_MESH_HEADER_KEY")

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the header names."""
        value = request.META.get(INTERNAL, "")
        return _internal_header.verify(self._key, value, settings.MESH_AUDIENCE, time()) if value else None

    def challenge(self, request: HttpRequest) -> str:  # noqa: ARG002
        """No scheme is registered for it: nobody but the gateway can answer it."""
        return 'Internal realm="mesh"'
