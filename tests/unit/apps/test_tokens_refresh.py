import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies._refresh_token import RefreshToken, family_named, is_family, named, parsed
from apps.strategies._tokens import audience_of, signer_and_verifier

FAMILY = uuid.UUID("01234567-89ab-4cde-8f01-23456789abcd")


def test_a_token_is_read_as_it_was_written() -> None:
    for generation in (0, 1, 2**31 - 1):
        token = RefreshToken.draw(FAMILY, generation)
        assert len(token.text) == 70
        assert parsed(token.text) == token
        assert parsed(token.text).digest == token.digest  # type: ignore[union-attr]


def test_no_two_tokens_are_the_same_and_none_is_shown() -> None:
    tokens = [RefreshToken.draw(FAMILY, 0) for _ in range(100)]
    assert len({token.text for token in tokens} | {token.digest for token in tokens}) == 200
    assert "secret" not in repr(tokens[0])


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        1,
        True,
        [],
        {},
        "",
        "A" * 69,
        "A" * 71,
        "A" * 100_000,
        "A" * 69 + "=",
        "A" * 69 + "\n",
        "\0" * 70,
        "ü" * 70,
        "１" * 70,
        "\ud800" * 70,
        "_" * 70,  # a generation beyond what the column holds
        signer_and_verifier("HS256", bytes(32), audience_of("jwt-refresh"))[0].sign({}),
    ],
)
def test_anything_else_is_no_token(wrong: object) -> None:
    assert parsed(wrong) is None


@given(st.text())
def test_any_text_is_no_token_and_no_error(text: str) -> None:
    assert parsed(text) is None or len(text) == 70


def test_a_claim_names_a_family() -> None:
    assert len(named(FAMILY)) == 22
    assert is_family(named(FAMILY))
    assert family_named(named(FAMILY)) == FAMILY
    for wrong in (None, 1, "", "A" * 21, "A" * 23, "ü" * 22, ["A"] * 22, str(FAMILY)):
        assert not is_family(wrong)
