"""Libraries are compared only where each checks the same: signature, algorithm, issuer, audience, times."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from loadtests.micro.floor import issuer, verifier
from loadtests.micro.libraries import LIBRARIES, Library
from loadtests.micro.material import ALGORITHMS, Claims, all_claims, claims, key

CASES = [
    pytest.param(library, algorithm, id=f"{library.name}-{algorithm}")
    for algorithm in ALGORITHMS
    for library in LIBRARIES
    if algorithm in library.algorithms
]
CHECKING = [case for case in CASES if case.values[0] is not LIBRARIES[0]]  # the floor checks signatures alone
ODD: dict[str, Callable[[Claims], Claims]] = {
    "expired": lambda good: {**good, "exp": int(time.time()) - 60},
    "not yet valid": lambda good: {**good, "nbf": int(time.time()) + 600},
    "another issuer": lambda good: {**good, "iss": "somebody"},
    "another audience": lambda good: {**good, "aud": "somebody"},
    "no expiry": lambda good: {name: value for name, value in good.items() if name != "exp"},
    "no subject": lambda good: {name: value for name, value in good.items() if name != "sub"},
}
pytestmark = pytest.mark.filterwarnings("ignore")  # two packages announce that EdDSA is to get other names


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_each_reads_what_any_other_issued(library: Library, algorithm: str) -> None:
    told = claims(3)
    verify = library.verifier(key(algorithm))
    for other in LIBRARIES:
        if algorithm in other.algorithms:
            assert dict(verify(other.issuer(key(algorithm))(dict(told)))) == told, other.name


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_each_refuses_another_signature(library: Library, algorithm: str) -> None:
    head, body, signature = issuer(key(algorithm))(claims(3)).split(".")
    other = issuer(key(algorithm))(claims(4)).split(".")[2]
    assert refused(library.verifier(key(algorithm)), f"{head}.{body}.{other}")
    assert not refused(library.verifier(key(algorithm)), f"{head}.{body}.{signature}")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("library", "algorithm"), CHECKING)
def test_each_checks_the_claims(library: Library, algorithm: str, odd: str) -> None:
    assert refused(library.verifier(key(algorithm)), issuer(key(algorithm))(ODD[odd](claims(3))))


@pytest.mark.parametrize(("library", "algorithm"), CHECKING)
def test_each_refuses_another_algorithm(library: Library, algorithm: str) -> None:
    other = next(name for name in ALGORITHMS if name != algorithm)
    assert refused(library.verifier(key(algorithm)), issuer(key(other))(claims(3)))


def test_the_floor_checks_the_signature_and_nothing_else() -> None:
    expired = issuer(key("HS256"))(ODD["expired"](claims(3)))
    assert verifier(key("HS256"))(expired)["sub"] == "4"


def test_no_two_tokens_are_alike() -> None:
    assert len({each["jti"] for each in all_claims()}) == len(all_claims())


def refused(verify: Callable[[str], Any], token: str) -> bool:
    try:
        verify(token)
    except Exception:
        return True
    return False
