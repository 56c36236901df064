"""A key parsed once, and a key parsed at every request: the fault that once made a library look 50 times slower."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from apps.contract.tokens import ISSUER
from loadtests.micro.libraries import LIBRARIES, REQUIRED
from loadtests.micro.material import ALGORITHMS, AUDIENCE, all_claims, endless, key

ASYMMETRIC = ALGORITHMS[1:]


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
@pytest.mark.parametrize("half", ["private", "public"])
def test_parse(benchmark: Any, algorithm: str, half: str) -> None:
    """PEM in, key out: what a server does at its start."""
    benchmark.group = f"key {algorithm}"
    made = key(algorithm)
    parse: Callable[[], object] = {
        "private": lambda: load_pem_private_key(made.private_pem, None),
        "public": lambda: load_pem_public_key(made.public_pem),
    }[half]
    benchmark(parse)
    benchmark.extra_info["subject"] = f"parse {half} PEM"


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_verify_parsing_each_time(benchmark: Any, algorithm: str) -> None:
    """PyJWT given the PEM itself, which it parses at every call."""
    benchmark.group = f"verify {algorithm}"
    made, options = key(algorithm), {"require": list(REQUIRED)}
    issue = LIBRARIES[0].issuer(made)
    pool = endless([issue(claims) for claims in all_claims()])
    benchmark(lambda: jwt.decode(next(pool), made.public_pem, [algorithm], options, audience=AUDIENCE, issuer=ISSUER))
    benchmark.extra_info["subject"] = "PyJWT, key parsed each time"


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_issue_parsing_each_time(benchmark: Any, algorithm: str) -> None:
    """PyJWT given the PEM itself, which it parses at every call."""
    benchmark.group = f"issue {algorithm}"
    made, pool = key(algorithm), endless(all_claims())
    benchmark(lambda: jwt.encode(next(pool), made.private_pem, algorithm))
    benchmark.extra_info["subject"] = "PyJWT, key parsed each time"
