"""Logins of `_jwt`, with tokens whose key is named by `kid` and fetched from a JWKS endpoint."""

from typing import Any

from django.conf import settings

from apps.strategies._jwt import JwtClaims
from apps.strategies._keys_file import KeyFile
from apps.strategies._keys_published import Endpoint, PublishedKeys
from apps.strategies._tokens_named import FileSigner, NamedKeyVerifier


class JwtJwks(JwtClaims):
    """Replicas sign with a file of keys; whoever verifies needs the public halves only."""

    def _halves(self, audience: str) -> tuple[Any, Any]:
        published = PublishedKeys(
            Endpoint(settings.AUTH_URL),
            cooldown_s=settings.JWKS_COOLDOWN_S,
            max_age_s=settings.JWKS_MAX_AGE_S,
        )
        return FileSigner(KeyFile(settings.SIGNING_KEYS_FILE), audience), NamedKeyVerifier(published, audience)
