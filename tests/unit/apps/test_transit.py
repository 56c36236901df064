"""Tokens signed by somebody else: the same bytes, the same verification, and an outage that is no refusal."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.core.exceptions import ImproperlyConfigured
from jwt.utils import der_to_raw_signature

from apps.contract.endpoints import Caller
from apps.shop.problems import StoreOutage
from apps.shop.vault import VaultAwayError
from apps.strategies._keys_transit import KeysInTransit
from apps.strategies._tokens import audience_of, claims_for, signer_and_verifier
from apps.strategies._tokens_named import named_key
from apps.strategies._transit import TransitKey, transit_key
from authbench.backends.shop import Keys
from tests.keys import ec_key, ed_key, rsa_key

AUDIENCE = audience_of("a test")
KEYS: Mapping[str, Callable[[], Any]] = {"RS256": rsa_key, "ES256": ec_key, "EdDSA": ed_key}


class Elsewhere:
    """Transit's part, with private keys of these tests."""

    def __init__(self, algorithm: str, *keys: Any) -> None:
        self.algorithm = algorithm
        self.keys = dict(enumerate(keys, start=1))
        self.latest = len(keys)
        self.signed: list[tuple[int, Mapping[str, str]]] = []
        self.away = False

    @property
    def public_keys(self) -> Mapping[int, str]:
        return {version: self.shown(key.public_key()) for version, key in self.keys.items()}

    def shown(self, public: Any) -> str:
        if self.algorithm == "EdDSA":  # as transit does
            return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())

    def sign(self, message: bytes, version: int, parameters: Mapping[str, str]) -> str:
        if self.away:
            raise VaultAwayError("OpenBao at http://127.0.0.1:1 does not answer")
        self.signed.append((version, parameters))
        key = self.keys[version]
        if self.algorithm == "RS256":
            return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()
        if self.algorithm == "ES256":
            raw = der_to_raw_signature(key.sign(message, ec.ECDSA(SHA256())), key.curve)
            return base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return base64.b64encode(key.sign(message)).decode()


def claims() -> dict[str, Any]:
    now = int(time.time())
    return dict(claims_for(Caller(10, "user00010", ("ß",)), now=now, expires=now + 60, auth_time=now))


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_is_the_one_that_the_key_itself_would_have_signed(algorithm: str) -> None:
    key, held = KEYS[algorithm](), claims()
    signer, verifier = transit_key(algorithm, Elsewhere(algorithm, key)).halves(AUDIENCE)
    own_signer, own_verifier = signer_and_verifier(algorithm, key, AUDIENCE)
    token, own = signer.sign(held), own_signer.sign(held)
    assert token.rpartition(".")[0] == own.rpartition(".")[0]
    if algorithm != "ES256":  # whose signatures are random
        assert token == own
    for each in (verifier, own_verifier):
        assert each.verify(token) == each.verify(own) is not None
        assert each.verify(token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")) is None


def test_every_version_verifies_and_the_told_one_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Elsewhere("RS256", rsa_key(), rsa.generate_private_key(65537, 2048))
    signer, verifier = transit_key("RS256", elsewhere).halves(AUDIENCE)
    new = signer.sign(claims())
    monkeypatch.setenv("AUTHBENCH_SIGNING_KEY_VERSION", "1")
    earlier, _ = transit_key("RS256", elsewhere).halves(AUDIENCE)
    old = earlier.sign(claims())
    assert [version for version, _ in elsewhere.signed] == [2, 1]
    assert None not in (verifier.verify(new), verifier.verify(old))
    del elsewhere.keys[1]
    monkeypatch.delenv("AUTHBENCH_SIGNING_KEY_VERSION")
    _, later = transit_key("RS256", elsewhere).halves(AUDIENCE)
    assert later.verify(old) is None
    assert later.verify(new) is not None


def test_an_outage_is_no_refusal_and_verifying_needs_nobody() -> None:
    elsewhere = Elsewhere("ES256", ec_key())
    signer, verifier = transit_key("ES256", elsewhere).halves(AUDIENCE)
    token = signer.sign(claims())
    elsewhere.away = True
    with pytest.raises(StoreOutage):
        signer.sign(claims())
    assert verifier.verify(token) is not None
    assert len(elsewhere.signed) == 1


@pytest.mark.parametrize(
    ("algorithm", "wrong", "says"),
    [
        ("RS256", ec_key, "not an RSA key of 2048 bits or more"),
        ("RS256", lambda: rsa.generate_private_key(65537, 1024), "not an RSA key of 2048 bits or more"),
        ("ES256", rsa_key, "not an elliptic-curve key on P-256"),
        ("ES256", lambda: ec.generate_private_key(ec.SECP384R1()), "not an elliptic-curve key on P-256"),
        ("EdDSA", ec_key, "not an Ed25519 key"),
    ],
)
def test_a_key_of_another_kind_stops_the_start(algorithm: str, wrong: Callable[[], Any], says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says):
        transit_key(algorithm, Elsewhere("another", wrong()))


@pytest.mark.parametrize(("version", "says"), [("3", r"is 3; there are \[1\]"), ("0", "at least 1")])
def test_a_version_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch, version: str, says: str) -> None:
    monkeypatch.setenv("AUTHBENCH_SIGNING_KEY_VERSION", version)
    with pytest.raises(ImproperlyConfigured, match=says):
        transit_key("RS256", Elsewhere("RS256", rsa_key()))


def test_nothing_of_a_key_is_shown() -> None:
    shown = repr(transit_key("RS256", Elsewhere("RS256", rsa_key())))
    assert shown.startswith(TransitKey.__name__)
    assert "RSA" not in shown


def test_published_keys_are_named_as_in_the_file_and_name_the_tokens_key() -> None:
    held = Keys()
    in_file = json.loads(held.signing_keys())
    own, newer = load_pem_private_key(held.rsa.encode(), None), rsa_key()
    keys = KeysInTransit(transit_key("RS256", Elsewhere("RS256", own, newer)))
    old, new = keys.published()["keys"]
    assert {name: old[name] for name in ("kid", "n", "e")} == {
        name: in_file["keys"][0][name] for name in ("kid", "n", "e")
    }
    assert {*old} == {*new} == {"kty", "n", "e", "use", "alg", "kid"}  # nothing that is private
    assert named_key(keys.signer(AUDIENCE).sign(claims())) == new["kid"] != old["kid"]
