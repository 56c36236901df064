"""Private keys for tests, made once a process, and files of signing keys as `jwt-jwks` reads them."""

import base64
import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import RSAAlgorithm


def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key a number."""
    return _rsa_key(number, bits)


def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """One key a curve."""
    return _ec_key(curve)


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    """One key."""
    return ed25519.Ed25519PrivateKey.generate()


@cache
def _rsa_key(number: int, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def _ec_key(curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def pem(key: Any) -> str:
    """PKCS #8, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Any) -> bytes:
    """SubjectPublicKeyInfo, as everybody may know it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_variables() -> dict[str, str]:
    """What replicas of the asymmetric strategies are told."""
    return {
        "AUTHBENCH_RSA_KEY": pem(rsa_key()),
        "AUTHBENCH_EC_KEY": pem(ec_key()),
        "AUTHBENCH_ED_KEY": pem(ed_key()),
    }


def private_jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """A key as the file of signing keys has it, named by its thumbprint (RFC 7638)."""
    jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    thumbed = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    kid = base64.urlsafe_b64encode(hashlib.sha256(thumbed.encode()).digest()).decode().rstrip("=")
    return jwk | {"kid": kid, "alg": "RS256", "use": "sig"}


def write_signing_keys(path: Path, *keys: rsa.RSAPrivateKey, signing: int = 0) -> str:
    """Replaces the file as a whole; the name of the key that signs."""
    jwks = [private_jwk(key) for key in keys]
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"signing": jwks[signing]["kid"], "keys": jwks}, file)
    beside.replace(path)
    return str(jwks[signing]["kid"])
