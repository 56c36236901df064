"""The least that a token can cost here: the same bytes through OpenSSL, base64 and JSON, and no check besides.

A library's figure shows its distance from this one. `hmac.digest` and `cryptography` call the same OpenSSL that the
libraries call; JSON and base64 are Python's own, in C.
"""

import hmac
import json
from collections.abc import Callable
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from loadtests.micro.material import HEADER, Claims, Key, compact, decoded, encoded

SHA256 = hashes.SHA256()
ECDSA = ec.ECDSA(SHA256)
PKCS1 = padding.PKCS1v15()
HALF = 32  # bytes of each number of a signature on P-256
Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], None]


def issuer(key: Key) -> Callable[[Claims], str]:
    """Serialise, encode, sign, encode."""
    sign = signing(key)
    head = encoded(compact({**HEADER, "alg": key.algorithm}))

    def issue(claims: Claims) -> str:
        told = head + b"." + encoded(compact(claims))
        return (told + b"." + encoded(sign(told))).decode()

    return issue


def verifier(key: Key) -> Callable[[str], Claims]:
    """Split, decode, check the signature, parse header and claims. Raises where the signature is another."""
    check = checking(key)

    def verify(token: str) -> Claims:
        told, _, signature = token.encode().rpartition(b".")
        check(decoded(signature), told)
        head, _, body = told.partition(b".")
        json.loads(decoded(head))
        claims: Claims = json.loads(decoded(body))
        return claims

    return verify


def signing(key: Key) -> Sign:
    """The signature alone: what OpenSSL takes, with ES256's numbers in the form of RFC 7518, section 3.4."""
    private: Any = key.private
    if key.algorithm == "HS256":
        return lambda told: hmac.digest(private, told, "sha256")
    if key.algorithm == "RS256":
        return lambda told: bytes(private.sign(told, PKCS1, SHA256))
    if key.algorithm == "EdDSA":
        return lambda told: bytes(private.sign(told))

    def sign(told: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(told, ECDSA))
        return r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big")

    return sign


def checking(key: Key) -> Check:
    """The check of a signature alone. The function raises InvalidSignature of `cryptography`, or ValueError."""
    public: Any = key.public
    if key.algorithm == "HS256":
        return lambda signature, told: _same(signature, hmac.digest(public, told, "sha256"))
    if key.algorithm == "RS256":
        return lambda signature, told: public.verify(signature, told, PKCS1, SHA256)
    if key.algorithm == "EdDSA":
        return cast(Check, public.verify)

    def check(signature: bytes, told: bytes) -> None:
        r, s = int.from_bytes(signature[:HALF], "big"), int.from_bytes(signature[HALF:], "big")
        public.verify(encode_dss_signature(r, s), told, ECDSA)

    return check


def _same(given: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(given, expected):
        raise ValueError("another signature")
