"""Tokens that the real key has signed though no honest server would: what they say alone decides about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from authbench.attacks.compact import Jwt

Expected = Literal["accepted", "refused", "either"]  # `either`: standards leave it to the server, but no 5xx


@dataclass(frozen=True, slots=True)
class Forgery:
    """One such token, before it is signed."""

    attack: str  # the name of the attack that sends it
    sent: str  # how it was made
    text: str = field(repr=False)  # `header.payload`, as it will stand in the token
    expected: Expected = "refused"


@dataclass(frozen=True, slots=True)
class Forged:
    """And after it."""

    forgery: Forgery
    token: str = field(repr=False)


# Unix time now, in whole seconds: what is expired or early is so relative to the moment of signing.
Forgeries = Callable[[Jwt, int], Iterator[Forgery]]
