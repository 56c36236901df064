"""Keys that are accepted and never signed with: each is checked, and with none configured nothing changes."""

import base64
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.contract.endpoints import Caller
from apps.shop.environment import former_keys, former_secrets
from apps.strategies._tokens import AnyVerifier, Verifier, audience_of, first_claims, signer_and_verifier

NAME = "AUTHBENCH_TEST_FALLBACKS"
AUDIENCE = audience_of("jwt-hs256")
OLD, NEW, OTHER = (bytes([number]) * 32 for number in range(3))
CALLER = Caller(10, "user00010", ())


def text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def test_there_are_none_where_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (former_keys(NAME), former_secrets(NAME)) == ((), [])
    monkeypatch.setenv(NAME, "")
    assert (former_keys(NAME), former_secrets(NAME)) == ((), [])


def test_several_stand_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, f"{text(OLD)}, {text(NEW)}")
    assert former_keys(NAME) == (OLD, NEW)
    assert former_secrets(NAME) == [text(OLD), text(NEW)]


@pytest.mark.parametrize("read", [former_keys, former_secrets])
def test_each_has_32_bytes_or_the_start_is_refused(monkeypatch: pytest.MonkeyPatch, read: object) -> None:
    short = text(OLD[:20])
    monkeypatch.setenv(NAME, f"{text(NEW)},{short}")
    with pytest.raises(ImproperlyConfigured, match="32") as raised:
        read(NAME)  # type: ignore[operator]
    assert NAME in str(raised.value)
    assert short not in str(raised.value)


@pytest.mark.parametrize("read", [former_keys, former_secrets])
def test_an_empty_one_is_a_mistake_and_so_are_many(monkeypatch: pytest.MonkeyPatch, read: object) -> None:
    for wrong in (f"{text(NEW)},", ",".join([text(OLD)] * 5)):
        monkeypatch.setenv(NAME, wrong)
        with pytest.raises(ImproperlyConfigured):
            read(NAME)  # type: ignore[operator]


def test_a_former_key_is_accepted_and_never_signed_with() -> None:
    signer, verifier = signer_and_verifier("HS256", NEW, AUDIENCE, (OLD,))
    former, _ = signer_and_verifier("HS256", OLD, AUDIENCE)
    assert verifier.verify(former.sign(first_claims(CALLER, 60))) is not None
    token = signer.sign(first_claims(CALLER, 60))
    assert Verifier("HS256", NEW, AUDIENCE).verify(token) is not None
    assert Verifier("HS256", OLD, AUDIENCE).verify(token) is None


def test_a_former_key_opens_nothing_but_what_was_right_when_it_was_current() -> None:
    _, verifier = signer_and_verifier("HS256", NEW, AUDIENCE, (OLD,))
    expired = {"exp": int(time.time()) - 1}
    former, stranger = (signer_and_verifier("HS256", key, AUDIENCE)[0] for key in (OLD, OTHER))
    elsewhere, _ = signer_and_verifier("HS256", OLD, audience_of("jwt-row"))
    assert verifier.verify(former.sign({**first_claims(CALLER, 60), **expired})) is None
    assert verifier.verify(stranger.sign(first_claims(CALLER, 60))) is None
    assert verifier.verify(elsewhere.sign(first_claims(CALLER, 60))) is None
    assert verifier.verify("") is None


def test_with_none_a_token_is_looked_at_by_one_verifier_as_before() -> None:
    assert type(signer_and_verifier("HS256", NEW, AUDIENCE)[1]) is Verifier
    several = signer_and_verifier("HS256", NEW, AUDIENCE, (OLD,))[1]
    assert isinstance(several, AnyVerifier)
    assert [each.key for each in several.verifiers] == [NEW, OLD]  # the current one first: what most tokens need
    assert text(NEW) not in repr(several)
    assert "key" not in repr(several)
