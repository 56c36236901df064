"""The packages that a user would weigh, each used as its own documentation says: the key is parsed once.

Every verifier checks signature, algorithm, issuer, audience, `exp` and `nbf`; one that left any of these out would be
compared with those that do not (tests/unit/loadtests/test_micro.py has each refuse what it should).
"""

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from apps.contract.tokens import ISSUER
from loadtests.micro import floor
from loadtests.micro.material import ALGORITHMS, AUDIENCE, HEADER, Claims, Key

REQUIRED = ("iss", "aud", "exp", "nbf", "sub")
Issue = Callable[[Claims], str]
Verify = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Library:
    """How tokens are made and verified with one package."""

    name: str
    package: str  # as installed; empty: Python's own and `cryptography`
    issuer: Callable[[Key], Issue]
    verifier: Callable[[Key], Verify]
    algorithms: tuple[str, ...] = ALGORITHMS

    @property
    def version(self) -> str:
        """Of the package. Raises PackageNotFoundError where it is not installed."""
        return version(self.package or "cryptography")


def _pyjwt_issuer(key: Key) -> Issue:
    jwt: Any = importlib.import_module("jwt")
    return lambda claims: jwt.encode(claims, key.private, key.algorithm, headers=HEADER)


def _pyjwt_verifier(key: Key) -> Verify:
    jwt: Any = importlib.import_module("jwt")
    allowed, options = [key.algorithm], {"require": list(REQUIRED)}
    return lambda token: jwt.decode(token, key.public, allowed, options, audience=AUDIENCE, issuer=ISSUER)


def _joserfc_key(key: Key, *, private: bool) -> Any:
    jwk: Any = importlib.import_module("joserfc.jwk")
    kind = {"HS256": jwk.OctKey, "RS256": jwk.RSAKey, "ES256": jwk.ECKey, "EdDSA": jwk.OKPKey}[key.algorithm]
    if key.symmetric:
        return kind.import_key(key.private)
    return kind.import_key(key.private_pem if private else key.public_pem)


def _joserfc_issuer(key: Key) -> Issue:
    jwt: Any = importlib.import_module("joserfc.jwt")
    private, header, allowed = _joserfc_key(key, private=True), {**HEADER, "alg": key.algorithm}, [key.algorithm]
    return lambda claims: jwt.encode(header, claims, private, allowed)


def _joserfc_verifier(key: Key) -> Verify:
    jwt: Any = importlib.import_module("joserfc.jwt")
    public, allowed = _joserfc_key(key, private=False), [key.algorithm]
    essential: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    checks = jwt.JWTClaimsRegistry(
        **essential | {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}}
    )

    def verify(token: str) -> Claims:
        claims: Claims = jwt.decode(token, public, allowed).claims
        checks.validate(claims)
        return claims

    return verify


def _authlib(algorithm: str) -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces that joserfc is to take its place
        jose: Any = importlib.import_module("authlib.jose")
        return jose.JsonWebToken([algorithm]), jose.JsonWebKey


def _authlib_issuer(key: Key) -> Issue:
    jwt, jwk = _authlib(key.algorithm)
    private = jwk.import_key(*_authlib_key(key, key.private_pem))
    header = {**HEADER, "alg": key.algorithm}
    return lambda claims: jwt.encode(header, claims, private).decode()


def _authlib_verifier(key: Key) -> Verify:
    jwt, jwk = _authlib(key.algorithm)
    public = jwk.import_key(*_authlib_key(key, key.public_pem))
    checks: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    checks |= {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}}

    def verify(token: str) -> Claims:
        claims: Any = jwt.decode(token, public, claims_options=checks)
        claims.validate()
        return dict(claims)

    return verify


def _authlib_key(key: Key, pem: bytes) -> tuple[bytes, dict[str, str]]:
    kind = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[key.algorithm]
    return (key.private if key.symmetric else pem), {"kty": kind}


def _jose_key(key: Key, pem: bytes) -> Any:
    jwk: Any = importlib.import_module("jose.jwk")
    return jwk.construct(key.private if key.symmetric else pem, key.algorithm)


def _jose_issuer(key: Key) -> Issue:
    jwt: Any = importlib.import_module("jose.jwt")
    private = _jose_key(key, key.private_pem)
    return lambda claims: jwt.encode(claims, private, key.algorithm, HEADER)


def _jose_verifier(key: Key) -> Verify:
    jwt: Any = importlib.import_module("jose.jwt")
    public, allowed = _jose_key(key, key.public_pem), [key.algorithm]
    options = {f"require_{name}": True for name in REQUIRED}
    return lambda token: jwt.decode(token, public, allowed, options, AUDIENCE, ISSUER)


def _oxyjwt_key(key: Key, *, private: bool) -> Any:
    oxyjwt: Any = importlib.import_module("oxyjwt")
    kind = oxyjwt.EncodingKey if private else oxyjwt.DecodingKey
    if key.symmetric:
        return kind.from_secret(key.private)
    made = {"RS256": kind.from_rsa_pem, "ES256": kind.from_ec_pem, "EdDSA": kind.from_ed_pem}[key.algorithm]
    return made(key.private_pem if private else key.public_pem)


def _oxyjwt_issuer(key: Key) -> Issue:
    oxyjwt: Any = importlib.import_module("oxyjwt")
    private = _oxyjwt_key(key, private=True)
    return lambda claims: oxyjwt.encode(claims, private, key.algorithm, HEADER)


def _oxyjwt_verifier(key: Key) -> Verify:
    oxyjwt: Any = importlib.import_module("oxyjwt")
    public, allowed, options = _oxyjwt_key(key, private=False), [key.algorithm], {"require": list(REQUIRED)}
    return lambda token: oxyjwt.decode(token, public, allowed, options, audience=AUDIENCE, issuer=ISSUER)


LIBRARIES = (
    Library("floor", "", floor.issuer, floor.verifier),
    Library("PyJWT", "pyjwt", _pyjwt_issuer, _pyjwt_verifier),
    Library("joserfc", "joserfc", _joserfc_issuer, _joserfc_verifier),
    Library("authlib", "authlib", _authlib_issuer, _authlib_verifier),
    Library("python-jose", "python-jose", _jose_issuer, _jose_verifier, ("HS256", "RS256", "ES256")),
    Library("oxyjwt", "oxyjwt", _oxyjwt_issuer, _oxyjwt_verifier),
)
