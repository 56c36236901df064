import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from apps.contract.bodies import LONGEST_USERNAME
from apps.contract.endpoints import Caller
from apps.strategies._forging import public_pem, signed_text
from apps.strategies._tokens import audience_of, claims_for, signer_and_verifier

KEYS = {
    "HS256": bytes(range(32)),
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_is_forged_has_the_signature_of_what_is_issued(algorithm: str) -> None:
    signer, verifier = signer_and_verifier(algorithm, KEYS[algorithm], audience_of("jwt-hs256"))
    assert signer.forging_key() == (algorithm, KEYS[algorithm])
    now = int(time.time())
    issued = signer.sign(claims_for(Caller(1, "user00001", ()), now=now, expires=now + 60, auth_time=now))
    forged = signed_text(*signer.forging_key(), issued.rpartition(".")[0])
    assert verifier.verify(forged) == verifier.verify(issued) is not None
    assert verifier.verify(forged[:-8] + "AAAAAAAA") is None


def test_a_text_is_signed_as_it_is() -> None:
    forged = signed_text("HS256", KEYS["HS256"], "not base64url!.{}")
    assert forged.startswith("not base64url!.{}.")
    assert len(forged.rpartition(".")[2]) == 43


def test_only_a_private_key_has_a_public_half() -> None:
    assert public_pem(KEYS["HS256"]) == public_pem("a secret") == ""
    for algorithm in ("RS256", "ES256", "EdDSA"):
        pem = public_pem(KEYS[algorithm])
        assert pem.startswith("-----BEGIN PUBLIC KEY-----")
        assert "PRIVATE" not in pem


def test_a_name_that_nobody_can_have_is_refused_though_it_is_signed() -> None:
    """`jwt-once` would answer with a token of it in a header, and no load balancer takes that."""
    audience, now = audience_of("jwt-once"), int(time.time())
    signer, verifier = signer_and_verifier("HS256", KEYS["HS256"], audience)

    def verified(name: str) -> object:
        token = signer.sign(claims_for(Caller(1, name, ()), now=now, expires=now + 60, auth_time=now))
        assert jwt.get_unverified_header(token)["alg"] == "HS256"
        return verifier.verify(token)

    assert verified("n" * LONGEST_USERNAME) is not None
    assert verified("n" * (LONGEST_USERNAME + 1)) is None
