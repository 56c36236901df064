"""Private keys that stay in OpenBao's transit engine: its signatures in tokens, its public halves to verify them with.

A token costs a call to it; verifying one costs none. Versions of a key are public at the start only, so a new version
is first made known (every replica started anew), then signed with, then the old one retired (docs/vault.md).
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import Algorithm

from apps.contract.tokens import ISSUER, TOKEN_TYPE
from apps.shop.environment import number
from apps.shop.problems import StoreOutage
from apps.shop.vault import SIGNING_KEY, Signing, VaultError
from apps.strategies._keys import KEYS
from apps.strategies._tokens import AnyVerifier, Utf8, Verifier

# What transit is asked for, so that its signature is the one of RFC 7518, section 3, and RFC 8037.
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "RS256": {"hash_algorithm": "sha2-256", "signature_algorithm": "pkcs1v15", "marshaling_algorithm": "jws"},
    "ES256": {"hash_algorithm": "sha2-256", "marshaling_algorithm": "jws"},
    "EdDSA": {"marshaling_algorithm": "jws"},
}


class Signs(Protocol):
    """The part of `vault.Signing` that is needed here."""

    public_keys: Mapping[int, str]  # version -> PEM; of Ed25519, base64 of the 32 bytes
    latest: int

    def sign(self, message: bytes, version: int, parameters: Mapping[str, str]) -> str:
        """The signature, in base64 of some kind. Raises VaultError."""


class Transit(Algorithm):
    """A JWS algorithm whose key is elsewhere. Only signing: PyJWT's own verify."""

    def __init__(self, signing: Signs, algorithm: str, version: int) -> None:
        self._signing = signing
        self._parameters = PARAMETERS[algorithm]
        self._version = version

    def prepare_key(self, key: Any) -> Any:
        """There is none here."""
        return key

    def sign(self, msg: bytes, key: Any) -> bytes:  # noqa: ARG002
        """Raises StoreOutage where OpenBao does not sign, after a bounded time."""
        try:
            text = self._signing.sign(msg, self._version, self._parameters)
        except VaultError as error:
            raise StoreOutage(str(error)) from None
        text = text.translate(str.maketrans("+/", "-_")).rstrip("=")
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Never asked."""
        raise NotImplementedError

    to_jwk = from_jwk = staticmethod(verify)  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class TransitKey:
    """A key in transit, as its public halves and the version that signs."""

    algorithm: str
    version: int
    public: Mapping[int, Any] = field(repr=False)  # version -> public key, of every version that is not retired
    signing: Signs = field(repr=False)

    def halves(self, audience: str) -> tuple["TransitSigner", Verifier | AnyVerifier]:
        """What signs and what verifies: with the version that signs here first, then with the others."""
        keys = [self.public[self.version], *(key for version, key in self.public.items() if version != self.version)]
        verifiers = tuple(Verifier(self.algorithm, key, audience) for key in keys)
        return TransitSigner(self, audience), AnyVerifier(verifiers) if len(verifiers) > 1 else verifiers[0]


class TransitSigner:
    """As `Signer`, with a key that is elsewhere."""

    def __init__(self, key: TransitKey, audience: str, kid: str = "") -> None:
        self.algorithm = key.algorithm
        self._headers = {"typ": TOKEN_TYPE, "kid": kid} if kid else {"typ": TOKEN_TYPE}
        self._audience = audience
        self._jws = jwt.PyJWS([])
        self._jws.register_algorithm(key.algorithm, Transit(key.signing, key.algorithm, key.version))

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The signed token. Raises StoreOutage where OpenBao does not sign it."""
        complete = {"iss": ISSUER, "aud": self._audience, **claims}
        payload = json.dumps(complete, separators=(",", ":"), cls=Utf8).encode()
        return self._jws.encode(payload, b"", self.algorithm, headers=self._headers)


def transit_key(algorithm: str, signing: Signs | None = None) -> TransitKey:
    """The key that the environment names. AUTHBENCH_SIGNING_KEY_VERSION: which version signs; the latest without it.

    Raises ImproperlyConfigured where there is none, or where it is none for that algorithm.
    """
    try:
        signing = signing or Signing()
    except VaultError as error:
        raise ImproperlyConfigured(str(error)) from None
    wanted, fits = KEYS[algorithm]
    public = {version: _public(text) for version, text in signing.public_keys.items()}
    if not public or not all(fits(key) for key in public.values()):
        raise ImproperlyConfigured(f"the key at {os.environ.get(SIGNING_KEY)} is not {wanted}, which {algorithm} needs")
    version = number("AUTHBENCH_SIGNING_KEY_VERSION", signing.latest, smallest=1)
    if version not in public:
        raise ImproperlyConfigured(f"AUTHBENCH_SIGNING_KEY_VERSION is {version}; there are {sorted(public)}")
    return TransitKey(algorithm, version, public, signing)


def _public(text: str) -> Any:
    """A public key as transit writes it; None where it cannot be read."""
    try:
        if text.startswith("-----"):
            return load_pem_public_key(text.encode())
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
