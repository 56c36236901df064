"""The keys of `jwt-jwks` where they stay in OpenBao: named by their RFC 7638 prints, public from the start on."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from jwt.algorithms import RSAAlgorithm

from apps.strategies._keys_file import ALGORITHM, PUBLIC, KeyFile
from apps.strategies._tokens_named import FileSigner
from apps.strategies._transit import TransitKey, TransitSigner


class KeysInTransit:
    """What verifiers are told of one transit key, every version of it that is not retired."""

    def __init__(self, key: TransitKey) -> None:
        self._key = key
        shown = {version: _shown(public) for version, public in key.public.items()}
        self._signing_kid = str(shown[key.version]["kid"])
        self._published = {"keys": list(shown.values())}

    def published(self) -> Mapping[str, Any]:
        """The set as it was at the start (RFC 7517, section 5)."""
        return self._published

    def signer(self, audience: str) -> TransitSigner:
        """Signs with the version that this process was told, under that version's name."""
        return TransitSigner(self._key, audience, self._signing_kid)


class KeysInFile:
    """The same of a file of keys, which is read anew when it was replaced."""

    def __init__(self, path: str) -> None:
        self._file = KeyFile(path)

    def published(self) -> Mapping[str, Any]:
        """The set as the file has it now."""
        return self._file.current().published

    def signer(self, audience: str) -> FileSigner:
        """Signs with the key that the file names now."""
        return FileSigner(self._file, audience)


def named_keys() -> KeysInTransit | KeysInFile:
    """The strategy's own, wherever its settings say they are. Raises ImproperlyConfigured where they are wrong."""
    key = settings.SIGNING_KEY
    return KeysInTransit(key) if isinstance(key, TransitKey) else KeysInFile(settings.SIGNING_KEYS_FILE)


def _shown(public: Any) -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    named = {name: jwk[name] for name in PUBLIC}
    print_ = hashlib.sha256(json.dumps(named, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = base64.urlsafe_b64encode(print_).decode().rstrip("=")
    return {**named, "use": "sig", "alg": ALGORITHM, "kid": kid}
