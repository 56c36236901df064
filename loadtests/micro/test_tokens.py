"""A token issued, and a token verified, for every algorithm and library. Every token is another: no cache answers."""

from typing import Any

import pytest

from loadtests.micro.libraries import LIBRARIES, Library
from loadtests.micro.material import ALGORITHMS, all_claims, endless, key

CASES = [
    pytest.param(library, algorithm, id=f"{library.name}-{algorithm}")
    for algorithm in ALGORITHMS
    for library in LIBRARIES
    if algorithm in library.algorithms
]


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_issue(benchmark: Any, library: Library, algorithm: str) -> None:
    """Claims in, token out."""
    benchmark.group = f"issue {algorithm}"
    issue, pool = library.issuer(key(algorithm)), endless(all_claims())
    token = benchmark(lambda: issue(next(pool)))
    benchmark.extra_info.update(subject=library.name, version=library.version, bytes=len(token))


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_verify(benchmark: Any, library: Library, algorithm: str) -> None:
    """Token in, claims out, everything checked."""
    benchmark.group = f"verify {algorithm}"
    issue, verify = LIBRARIES[0].issuer(key(algorithm)), library.verifier(key(algorithm))
    pool = endless([issue(claims) for claims in all_claims()])
    claims = benchmark(lambda: verify(next(pool)))
    assert claims["username"].startswith("user")
    benchmark.extra_info.update(subject=library.name, version=library.version)
