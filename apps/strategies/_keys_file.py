"""The file of signing keys: `{"signing": kid, "keys": [private JWK, …]}`, RS256 only (RFC 7517, RFC 7518, section 6.3).

Each key has `kty` "RSA", a `kid` of its own, and its private members in full; `signing` names the one that signs. To
rotate: add the new key, wait until every verifier may have fetched it, let it sign, and remove the old one when the
last token that it signed has expired. The file is replaced as a whole (written beside it, then renamed).
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.core.exceptions import ImproperlyConfigured
from jwt import InvalidKeyError
from jwt.algorithms import RSAAlgorithm

from apps.strategies._keys import SMALLEST_RSA_BITS

ALGORITHM = "RS256"
LONGEST_KID = 128  # characters; a thumbprint (RFC 7638) has 43
PUBLIC = ("kty", "n", "e")  # the members that may be shown
_log = logging.getLogger("django")


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """What the file said."""

    signing: str
    private: Mapping[str, RSAPrivateKey] = field(repr=False)  # by kid
    published: Mapping[str, Any]  # the set that verifiers fetch: public halves only


class KeyFile:
    """The file's keys, read anew when it was replaced. Raises ImproperlyConfigured where it is wrong at the start."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._lock = Lock()
        self._seen = self._identity()
        self._keys = self._read()

    def current(self) -> SigningKeys:
        """The keys now. Where the file has gone wrong they are those read before, and the log says so once a change."""
        with self._lock:
            identity = self._identity()
            if identity != self._seen:
                self._seen = identity
                try:
                    self._keys = self._read()
                except ImproperlyConfigured as error:
                    _log.error("%s; going on with the keys read before", error)
            return self._keys

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> SigningKeys:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"cannot read signing keys from {self._path} ({type(error).__name__})") from None
        try:
            return _parsed(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidKeyError):
            raise ImproperlyConfigured(
                f'{self._path} is not {{"signing": kid, "keys": [private RSA JWK, …]}} with keys of '
                f"{SMALLEST_RSA_BITS} bits or more, each with a kid of its own"
            ) from None


def _parsed(content: Any) -> SigningKeys:
    private: dict[str, RSAPrivateKey] = {}
    published = []
    for jwk in content["keys"]:
        kid, key = jwk["kid"], RSAAlgorithm.from_jwk(jwk)
        if not is_kid(kid) or kid in private or not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_RSA_BITS:
            raise ValueError
        private[kid] = key
        shown = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        published.append({name: shown[name] for name in PUBLIC} | {"use": "sig", "alg": ALGORITHM, "kid": kid})
    if content["signing"] not in private:
        raise ValueError
    return SigningKeys(content["signing"], private, {"keys": published})


def is_kid(value: Any) -> bool:
    """Whether it can name a key: short printable ASCII."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_KID and value.isascii() and value.isprintable()
