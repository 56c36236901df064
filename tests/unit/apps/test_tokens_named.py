"""Keys by `kid`: what the file may hold, what is published, and when a verifier asks for the set."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.contract.endpoints import Caller
from apps.shop.problems import StoreOutage
from apps.strategies._keys_file import KeyFile
from apps.strategies._keys_published import LONGEST_STALE_S, PublishedKeys, public_keys
from apps.strategies._tokens import ISSUER, audience_of, claims_for, would_be_valid
from apps.strategies._tokens_named import FileSigner, NamedKeyVerifier, named_key
from tests.keys import pem, private_jwk, rsa_key, write_signing_keys

AUDIENCE = audience_of("jwt-jwks")
CALLER = Caller(1, "user00001", ())
COOLDOWN_S, MAX_AGE_S = 10, 300
always, never = (lambda: True), (lambda: False)


class Published:
    """An endpoint in memory, with a clock that is set."""

    def __init__(self, *kids: str) -> None:
        self.kids: tuple[str, ...] | None = kids
        self.fetches = 0
        self.now = 0.0
        self.keys = PublishedKeys(self._fetch, cooldown_s=COOLDOWN_S, max_age_s=MAX_AGE_S, clock=lambda: self.now)

    def _fetch(self) -> dict[str, Any]:
        self.fetches += 1
        if self.kids is None:
            raise StoreOutage
        return dict.fromkeys(self.kids, rsa_key().public_key())

    def ask(self, kid: str, plausible: Any = always) -> str:
        try:
            return "known" if self.keys.key(kid, plausible) else "unknown"
        except StoreOutage:
            return "outage"


def test_a_set_is_fetched_once_while_it_is_young() -> None:
    endpoint = Published("a", "b")
    for endpoint.now in (0, 1, 100, 299.9):
        assert (endpoint.ask("a"), endpoint.ask("b")) == ("known", "known")
    assert endpoint.fetches == 1
    endpoint.now = 300
    assert endpoint.ask("a") == "known"
    assert endpoint.fetches == 2


def test_unknown_names_cost_one_fetch_a_cooldown() -> None:
    endpoint = Published("a")
    assert endpoint.ask("a") == "known"
    endpoint.now = 60
    assert [endpoint.ask(f"x{number}") for number in range(50)] == ["unknown"] * 50
    assert endpoint.fetches == 2
    endpoint.now = 70
    assert endpoint.ask("x") == "unknown"
    assert endpoint.fetches == 3


def test_a_malformed_token_costs_none() -> None:
    endpoint = Published("a")
    assert endpoint.ask("x", never) == "unknown"
    assert endpoint.fetches == 0


def test_a_new_key_is_found_after_the_cooldown_and_an_old_one_dropped() -> None:
    endpoint = Published("a")
    assert endpoint.ask("a") == "known"
    endpoint.kids = ("a", "b")
    endpoint.now = 5
    assert endpoint.ask("b") == "unknown"  # hence: publish first, sign later
    endpoint.now = 10
    assert endpoint.ask("b") == "known"
    endpoint.kids = ("b",)
    endpoint.now = 309
    assert endpoint.ask("a") == "known"  # nobody has asked yet
    endpoint.now = 310
    assert endpoint.ask("a") == "unknown"
    assert endpoint.ask("b") == "known"
    assert endpoint.fetches == 3


def test_an_outage_is_no_refusal() -> None:
    endpoint = Published("a")
    kids, endpoint.kids = endpoint.kids, None
    assert [endpoint.ask("a") for _ in range(5)] == ["outage"] * 5
    assert endpoint.fetches == 1
    endpoint.kids, endpoint.now = kids, 10
    assert endpoint.ask("a") == "known"


def test_keys_stay_good_for_a_while_when_the_endpoint_goes_down() -> None:
    endpoint = Published("a")
    assert endpoint.ask("a") == "known"
    endpoint.kids = None
    endpoint.now = 300
    assert [endpoint.ask("a") for _ in range(5)] == ["known"] * 5
    assert endpoint.fetches == 2
    assert endpoint.ask("x") == "outage"  # it may be new; nobody can say
    endpoint.now = MAX_AGE_S + LONGEST_STALE_S - 0.1
    assert endpoint.ask("a") == "known"
    endpoint.now = MAX_AGE_S + LONGEST_STALE_S
    assert endpoint.ask("a") == "outage"
    endpoint.kids, endpoint.now = ("b",), endpoint.now + COOLDOWN_S
    assert endpoint.ask("a") == "unknown"


def test_a_set_that_withdraws_every_key_is_a_set() -> None:
    endpoint = Published()
    assert endpoint.ask("a") == "unknown"


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":1}', b"\xff", b"[" * 100_000])
def test_what_is_no_set_is_an_error(wrong: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        public_keys(wrong)


def test_only_rs256_keys_of_a_set_are_taken() -> None:
    good = {name: value for name, value in private_jwk(rsa_key()).items() if name in ("kty", "n", "e", "kid")}
    small = {name: private_jwk(rsa_key(bits=1024))[name] for name in ("kty", "n", "e")}
    odd = [
        good | {"kid": "enc", "use": "enc"},
        good | {"kid": "ps", "alg": "PS256"},
        good | {"kid": "hs", "alg": "HS256"},
        good | {"kid": 1},
        good | {"kid": "ü"},
        good | {"kid": "k" * 200},
        good | {"kid": "e", "e": "AQ"},
        good | {"kid": "n", "n": 1},
        {"kty": "RSA", "kid": "empty"},
        {"kty": "oct", "kid": "oct", "k": "AAAA"},
        small | {"kid": "small"},
        "text",
        None,
        [good],
    ]
    assert set(public_keys(json.dumps({"keys": [*odd, good]}).encode())) == {good["kid"]}


def test_the_file_is_read_anew_when_it_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys.json"
    first = write_signing_keys(path, rsa_key(0))
    file = KeyFile(str(path))
    assert file.current().signing == first
    second = write_signing_keys(path, rsa_key(0), rsa_key(1), signing=1)
    assert (file.current().signing, set(file.current().private)) == (second, {first, second})
    path.write_text("{", encoding="utf-8")
    assert file.current().signing == file.current().signing == second
    path.unlink()
    assert file.current().signing == file.current().signing == second
    assert len(caplog.messages) == 2
    write_signing_keys(path, rsa_key(0))
    assert file.current().signing == first


def test_only_public_halves_are_published(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_signing_keys(path, rsa_key(0), rsa_key(1))
    held = KeyFile(str(path)).current()
    assert [set(jwk) for jwk in held.published["keys"]] == [{"kty", "n", "e", "use", "alg", "kid"}] * 2
    assert set(public_keys(json.dumps(held.published).encode())) == set(held.private)
    private = private_jwk(rsa_key(0))["d"]
    assert private not in repr(held) + json.dumps(held.published)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        {"signing": "a", "keys": []},
        {"keys": [private_jwk(rsa_key())]},
        {"signing": "another", "keys": [private_jwk(rsa_key())]},
        {"signing": "a", "keys": [private_jwk(rsa_key()) | {"kid": "a"}, private_jwk(rsa_key(1)) | {"kid": "a"}]},
        {"signing": "a", "keys": [private_jwk(rsa_key(bits=1024)) | {"kid": "a"}]},
        {"signing": "a", "keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]},
        {"signing": "a", "keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}]},
        {"signing": ["a"], "keys": ["a"]},
        {"signing": 1, "keys": [private_jwk(rsa_key()) | {"kid": 1}]},
    ],
)
def test_a_wrong_file_stops_the_start_with_a_line_that_shows_nothing_of_it(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(ImproperlyConfigured) as raised:
        KeyFile(str(path))
    assert str(raised.value).startswith(f'{path} is not {{"signing": kid')
    assert "\n" not in str(raised.value)
    with pytest.raises(ImproperlyConfigured, match="cannot read"):
        KeyFile(str(tmp_path / "nothing"))


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    path = tmp_path / "keys.json"
    write_signing_keys(path, rsa_key())
    return FileSigner(KeyFile(str(path)), AUDIENCE)


def verifier_of(*numbers: int) -> tuple[NamedKeyVerifier, list[int]]:
    fetches: list[int] = []

    def fetch() -> dict[str, Any]:
        fetches.append(1)
        return {private_jwk(rsa_key(number))["kid"]: rsa_key(number).public_key() for number in numbers}

    return NamedKeyVerifier(PublishedKeys(fetch, cooldown_s=10, max_age_s=300), AUDIENCE), fetches


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    issued = {"iss": ISSUER, "aud": AUDIENCE}
    return issued | dict(claims_for(CALLER, now=now, expires=now + 60, auth_time=now)) | changes


def test_a_token_is_verified_with_the_key_that_it_names(signer: FileSigner) -> None:
    verifier, fetches = verifier_of(0, 1)
    token = signer.sign(claims())
    assert all(verifier.verify(token) is not None for _ in range(10))
    assert len(fetches) == 1
    named_other = {"typ": "at+jwt", "kid": private_jwk(rsa_key(1))["kid"]}
    assert verifier.verify(jwt.encode(claims(), rsa_key(0), "RS256", headers=named_other)) is None


def test_only_a_token_that_lacks_nothing_but_its_key_costs_a_fetch() -> None:
    verifier, fetches = verifier_of(0)
    stranger = rsa_key(1)
    kid = {"typ": "at+jwt", "kid": "x"}
    for token in (
        "",
        "x",
        "..",
        jwt.encode(claims(), stranger, "RS256", headers={"typ": "at+jwt"}),
        jwt.encode(claims(), stranger, "RS256", headers={"typ": "JWT", "kid": "x"}),
        jwt.encode(claims(), stranger, "RS256", headers=kid | {"kid": "k" * 129}),
        jwt.encode(claims(), stranger, "RS256", headers=kid | {"kid": "ü"}),
        jwt.encode(claims(), stranger, "RS256", headers=kid | {"crit": ["x"], "x": 1}),
        jwt.encode(claims(), stranger, "PS256", headers=kid),
        jwt.encode(claims(), bytes(32), "HS256", headers=kid),
        jwt.encode(claims(exp=1), stranger, "RS256", headers=kid),
        jwt.encode(claims(nbf=4102444800), stranger, "RS256", headers=kid),
        jwt.encode(claims(iss="another"), stranger, "RS256", headers=kid),
        jwt.encode(claims(aud=audience_of("jwt-rs256")), stranger, "RS256", headers=kid),
        jwt.encode(claims(permissions="all"), stranger, "RS256", headers=kid),
        jwt.encode({"sub": "1"}, stranger, "RS256", headers=kid),
        jwt.encode(claims(padding="x" * 8192), stranger, "RS256", headers=kid),
    ):
        assert verifier.verify(token) is None, token[:60]
        assert not fetches, token[:60]
    for _ in range(50):
        assert verifier.verify(jwt.encode(claims(), stranger, "RS256", headers=kid)) is None
    assert len(fetches) == 1


def test_a_key_in_the_token_or_behind_an_address_in_it_is_not_used() -> None:
    verifier, _ = verifier_of(0)
    stranger = rsa_key(1)
    own = {name: private_jwk(stranger)[name] for name in ("kty", "n", "e", "kid")}
    for more in (
        {"jwk": own},
        {"jku": "http://127.0.0.1:1/"},
        {"x5u": "http://127.0.0.1:1/"},
        {"x5c": [pem(stranger)]},
    ):
        for kid in (own["kid"], private_jwk(rsa_key(0))["kid"]):
            headers = {"typ": "at+jwt", "kid": kid} | more
            assert verifier.verify(jwt.encode(claims(), stranger, "RS256", headers=headers)) is None


def test_plausible_is_everything_but_signed() -> None:
    unsigned = jwt.encode(claims(), rsa_key(1), "RS256", headers={"typ": "at+jwt", "kid": "x"})
    assert would_be_valid(unsigned.rpartition(".")[0] + ".AAAA", AUDIENCE)
    assert not would_be_valid(unsigned, audience_of("another"))
    assert named_key(unsigned) == "x"
