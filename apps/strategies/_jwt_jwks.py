"""Logins of `_jwt`, with tokens whose key is named by `kid` and fetched from a JWKS endpoint."""

from typing import Any

from django.conf import settings

from apps.strategies._jwt import JwtClaims
from apps.strategies._keys_published import Endpoint, PublishedKeys
from apps.strategies._keys_transit import named_keys
from apps.strategies._tokens_named import NamedKeyVerifier


class JwtJwks(JwtClaims):
    """Replicas sign with a file of keys, or in a vault; whoever verifies needs the public halves only."""

    def _halves(self, audience: str) -> tuple[Any, Any]:
        published = PublishedKeys(
            Endpoint(settings.AUTH_URL),
            cooldown_s=settings.JWKS_COOLDOWN_S,
            max_age_s=settings.JWKS_MAX_AGE_S,
        )
        return named_keys().signer(audience), NamedKeyVerifier(published, audience)
