"""Logins of `_jwt`, with a cache of verified tokens."""

from typing import Any

from django.conf import settings

from apps.strategies._jwt import JwtClaims
from apps.strategies._tokens import Signer
from apps.strategies._tokens_remembered import Remembering


class JwtCached(JwtClaims):
    """Trusts the claims of a token whose signature this process has seen to be right."""

    def _halves(self, audience: str) -> tuple[Signer, Any]:
        signer, verifier = super()._halves(audience)
        return signer, Remembering(verifier, settings.TOKEN_CACHE_SIZE)
