"""Private keys of asymmetric signatures, read once when the settings load."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured

from apps.shop.environment import required
from apps.shop.vault import SIGNING_KEY

SMALLEST_RSA_BITS = 2048  # RFC 7518, section 3.3

# Algorithm -> what its key has to be, and whether one is: the private half, or the public one of a key kept elsewhere.
KEYS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "RS256": (
        f"an RSA key of {SMALLEST_RSA_BITS} bits or more",
        lambda key: isinstance(key, RSAPrivateKey | RSAPublicKey) and key.key_size >= SMALLEST_RSA_BITS,
    ),
    "ES256": (
        "an elliptic-curve key on P-256",
        lambda key: (
            isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        ),
    ),
    "EdDSA": ("an Ed25519 key", lambda key: isinstance(key, Ed25519PrivateKey | Ed25519PublicKey)),
}


def private_key(name: str, algorithm: str) -> Any:
    """The key in the variable `name` (PEM, PKCS #8, not encrypted; or in the file that `<name>_FILE` names).

    Where AUTHBENCH_VAULT_SIGNING_KEY names one, the `TransitKey` that stays in the vault; `name` is not read then.
    Raises ImproperlyConfigured with one line that shows nothing of the key.
    """
    if kept := kept_key(algorithm):
        return kept
    text = required(name)
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted
        raise ImproperlyConfigured(f"{name} is no private key in PEM (PKCS #8, not encrypted)") from None
    wanted, fits = KEYS[algorithm]
    if not fits(key):
        raise ImproperlyConfigured(f"{name} is not {wanted}, which {algorithm} needs")
    return key


def kept_key(algorithm: str) -> Any:
    """The `TransitKey` that AUTHBENCH_VAULT_SIGNING_KEY names, which stays in the vault; None where it names none.

    Raises ImproperlyConfigured where it is none for that algorithm or the vault does not show it.
    """
    if not os.environ.get(SIGNING_KEY):
        return None
    from apps.strategies._transit import transit_key  # noqa: PLC0415 - only where there is one

    return transit_key(algorithm)
