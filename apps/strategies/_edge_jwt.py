"""Tokens that the load balancer verifies."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.contract.endpoints import Caller
from apps.strategies._edge import comes_from_edge
from apps.strategies._jwt import JwtClaims
from apps.strategies._tokens import SignatureSeen


class EdgeJwt(JwtClaims):
    """The balancer has verified signature, algorithm, issuer, audience and times; what is left is looked at here."""

    def _halves(self, audience: str) -> tuple[Any, Any]:
        signer, verifier = super()._halves(audience)
        return signer, verifier if settings.EDGE_IN_PROCESS else SignatureSeen(settings.JWT_ALGORITHM, audience)

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """Whom the token names, if the balancer vouches for it."""
        if not settings.EDGE_IN_PROCESS and not comes_from_edge(request):
            return None
        return super().authenticate(request)
