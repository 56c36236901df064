"""Tokens that name their key by `kid`: signed with a file's key, verified with a published one, RS256 only."""

import base64
import json
from typing import Any

from apps.strategies._keys_file import ALGORITHM, KeyFile, is_kid
from apps.strategies._keys_published import PublishedKeys
from apps.strategies._tokens import LONGEST_TOKEN, TOKEN_TYPE, Claims, Signer, Verifier, would_be_valid

LONGEST_HEADER = 512  # characters of base64url


class FileSigner:
    """Signs with the key that the file names now."""

    def __init__(self, keys: KeyFile, audience: str) -> None:
        self._keys = keys
        self._audience = audience

    def sign(self, claims: Claims) -> str:
        """The signed token, with the key's name in its header."""
        held = self._keys.current()
        return Signer(ALGORITHM, held.private[held.signing], self._audience, held.signing).sign(claims)

    def forging_key(self) -> tuple[str, Any]:
        """Algorithm and the key that the file names now."""
        held = self._keys.current()
        return ALGORITHM, held.private[held.signing]


class NamedKeyVerifier:
    """Verifies with the published key that the token names: RS256 only, whatever else its header says or points at."""

    def __init__(self, keys: PublishedKeys, audience: str) -> None:
        self._keys = keys
        self._audience = audience

    def verify(self, token: str) -> Claims | None:
        """The claims of a valid token; None for anything else. Raises StoreOutage where its key cannot be asked for."""
        kid = named_key(token)
        # A key is fetched only for a token that lacks nothing but somebody who knows its key.
        key = self._keys.key(kid, lambda: would_be_valid(token, self._audience)) if kid is not None else None
        return Verifier(ALGORITHM, key, self._audience).verify(token) if key is not None else None


def named_key(token: str) -> str | None:
    """The `kid` of an access token's header, of which nothing is verified; None where that is none of ours.

    `jku`, `jwk`, `x5u` and the like are not read, here or anywhere (RFC 8725, section 3.10).
    """
    text, dot, _ = token.partition(".")
    if not dot or len(text) > LONGEST_HEADER or len(token) > LONGEST_TOKEN:
        return None
    try:
        header = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE:
        return None
    return header["kid"] if is_kid(header.get("kid")) else None
