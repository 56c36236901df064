"""Tokens that no honest code would issue, signed with a strategy's real key: what `manage.py forge` writes."""

import base64
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def signed_text(algorithm: str, key: Any, text: str) -> str:
    """`header.payload` as a compact JWS, whatever the text says (RFC 7515, 7.1). `key` signs with that algorithm."""
    prepared = jwt.get_algorithm_by_name(algorithm)
    return f"{text}.{_encoded(prepared.sign(text.encode(), prepared.prepare_key(key)))}"


def public_pem(key: Any) -> str:
    """The public half of a private key as anybody may know it; empty where the key is a secret that has none."""
    if isinstance(key, bytes | str):
        return ""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
