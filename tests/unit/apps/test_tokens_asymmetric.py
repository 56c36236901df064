"""Tokens with private keys: the keys' kinds, who may verify, and what else the library takes for the same token."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from django.core.exceptions import ImproperlyConfigured

from apps.contract.endpoints import Caller
from apps.strategies._keys import private_key
from apps.strategies._tokens import Signer, Verifier, audience_of, claims_for, signer_and_verifier
from tests.keys import ec_key, ed_key, pem, public_pem, rsa_key

NAME = "AUTHBENCH_TEST_KEY"
AUDIENCE = audience_of("a test")
CALLER = Caller(10, "user00010", ("view_reports",))
KEYS: dict[str, Callable[[], Any]] = {"RS256": rsa_key, "ES256": ec_key, "EdDSA": ed_key}
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def claims() -> dict[str, Any]:
    now = int(time.time())
    return dict(claims_for(CALLER, now=now, expires=now + 60, auth_time=now))


def pair(algorithm: str) -> tuple[Signer, Verifier]:
    return signer_and_verifier(algorithm, KEYS[algorithm](), AUDIENCE)


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_was_signed_is_verified_and_nothing_else(algorithm: str) -> None:
    signer, verifier = pair(algorithm)
    held = claims()
    token = signer.sign(held)
    assert held.items() <= verifier.verify(token).items()  # type: ignore[union-attr]
    head, payload, signature = token.split(".")
    for changed in (
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}",
        f"{head}.{payload}.{'A' * len(signature)}",
        f"{head}.{payload[:-4]}.{signature}",
        f"{head}.{payload}.{signature}.{signature}",
    ):
        assert verifier.verify(changed) is None
    for other in set(KEYS) - {algorithm}:
        assert pair(other)[1].verify(token) is None
    assert not hasattr(verifier.key, "private_bytes")


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_public_key_is_no_secret_to_sign_with(algorithm: str) -> None:
    """Algorithm confusion (RFC 8725, section 2.1): HS256 with the text or bytes of the public key."""
    verifier = pair(algorithm)[1]
    held = {"iss": "authbench-shop", "aud": AUDIENCE} | claims()
    for secret in (public_pem(KEYS[algorithm]()), public_pem(KEYS[algorithm]()).strip()):
        for name in ("HS256", algorithm):
            head = b".".join(
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
                for part in ({"alg": name, "typ": "at+jwt"}, held)
            )
            mac = jwt.get_algorithm_by_name("HS256").sign(head, secret)
            token = (head + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
            assert verifier.verify(token) is None


@pytest.mark.parametrize("algorithm", KEYS)
def test_no_key_is_parsed_while_tokens_are_signed_and_verified(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, verifier = pair(algorithm)
    parsed: list[str] = []
    for name in ("load_pem_private_key", "load_pem_public_key", "load_ssh_public_key", "load_der_public_key"):
        monkeypatch.setattr(jwt.algorithms, name, lambda *_, name=name, **__: parsed.append(name))
    assert verifier.verify(signer.sign(claims())) is not None
    assert parsed == []


def test_the_twin_of_an_es256_signature_is_the_same_token() -> None:
    """Who may verify (r, s) takes (r, n - s) as well, so a list of denied tokens goes by `jti`, not by text."""
    signer, verifier = pair("ES256")
    token = signer.sign(claims())
    head, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = raw[:32], int.from_bytes(raw[32:], "big")
    twin = base64.urlsafe_b64encode(r + (ORDER_OF_P256 - s).to_bytes(32, "big")).rstrip(b"=").decode()
    assert twin != signature
    seen = verifier.verify(f"{head}.{twin}")
    assert seen is not None
    assert seen["jti"] == verifier.verify(token)["jti"]  # type: ignore[index]


@pytest.mark.parametrize(("algorithm", "padding"), [("HS256", "="), ("RS256", "=="), ("ES256", "=="), ("EdDSA", "==")])
def test_a_padded_token_is_the_same_token(algorithm: str, padding: str) -> None:
    """PyJWT takes base64url with its padding; RFC 7515, section 2, has none."""
    signer, verifier = signer_and_verifier("HS256", bytes(32), AUDIENCE) if algorithm == "HS256" else pair(algorithm)
    token = signer.sign(claims())
    assert verifier.verify(token + padding) == verifier.verify(token) != None  # noqa: E711
    assert verifier.verify(token + padding + "=") is None


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_comes_from_the_environment(algorithm: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    text = pem(KEYS[algorithm]())
    monkeypatch.setenv(NAME, text)
    assert pem(private_key(NAME, algorithm)) == text
    monkeypatch.delenv(NAME)
    (tmp_path / "key.pem").write_text(text, encoding="ascii")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "key.pem"))
    assert pem(private_key(NAME, algorithm)) == text


def encrypted(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")).decode()


@pytest.mark.parametrize(
    ("algorithm", "text", "message"),
    [
        ("RS256", lambda: pem(rsa_key(bits=1024)), "is not an RSA key of 2048 bits or more, which RS256 needs"),
        ("RS256", lambda: pem(ec_key()), "is not an RSA key"),
        ("ES256", lambda: pem(ec_key(ec.SECP384R1)), "is not an elliptic-curve key on P-256, which ES256 needs"),
        ("ES256", lambda: pem(ec_key(ec.SECP256K1)), "is not an elliptic-curve key on P-256"),
        ("ES256", lambda: pem(rsa_key()), "is not an elliptic-curve key"),
        ("EdDSA", lambda: pem(ed448.Ed448PrivateKey.generate()), "is not an Ed25519 key, which EdDSA needs"),
        ("RS256", lambda: public_pem(rsa_key()).decode(), "is no private key in PEM"),
        ("RS256", lambda: encrypted(rsa_key()), "is no private key in PEM"),
        ("RS256", lambda: pem(rsa_key())[:200], "is no private key in PEM"),
        ("RS256", lambda: "a secret that is no key", "is no private key in PEM"),
        ("RS256", lambda: "schlüssel", "is no private key in PEM"),
        ("RS256", lambda: "", f"set {NAME}, or {NAME}_FILE"),
    ],
)
def test_a_wrong_key_stops_the_start_with_a_line_that_shows_nothing_of_it(
    algorithm: str, text: Callable[[], str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = text()
    monkeypatch.setenv(NAME, given)
    with pytest.raises(ImproperlyConfigured) as raised:
        private_key(NAME, algorithm)
    shown = str(raised.value)
    assert message in shown
    assert "\n" not in shown
    assert not any(line in shown for line in given.splitlines() if line)
    assert raised.value.__cause__ is None


def test_signatures_have_their_length() -> None:
    """Bytes: RSA's is its modulus, the others' 64."""
    for algorithm, size in (("RS256", 256), ("ES256", 64), ("EdDSA", 64)):
        signature = pair(algorithm)[0].sign(claims()).rpartition(".")[2]
        assert len(base64.urlsafe_b64decode(signature + "==")) == size
