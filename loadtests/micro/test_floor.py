"""What is inside the floor: signature, base64 and JSON alone, each over the bytes of a token of the shop."""

import json
from typing import Any

import pytest

from loadtests.micro.floor import checking, signing
from loadtests.micro.libraries import LIBRARIES
from loadtests.micro.material import ALGORITHMS, all_claims, compact, decoded, encoded, endless, key


def _tokens(algorithm: str) -> list[bytes]:
    issue = LIBRARIES[0].issuer(key(algorithm))
    return [issue(claims).encode() for claims in all_claims()]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_sign(benchmark: Any, algorithm: str) -> None:
    """OpenSSL, over a token's header and claims."""
    benchmark.group = f"issue {algorithm}"
    sign = signing(key(algorithm))
    pool = endless([token.rpartition(b".")[0] for token in _tokens(algorithm)])
    benchmark.extra_info.update(subject="signature alone", bytes=len(benchmark(lambda: sign(next(pool)))))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_check(benchmark: Any, algorithm: str) -> None:
    """OpenSSL, over a token's header and claims."""
    benchmark.group = f"verify {algorithm}"
    check = checking(key(algorithm))
    split = (token.rpartition(b".") for token in _tokens(algorithm))
    pool = endless([(decoded(signature), told) for told, _, signature in split])
    benchmark(lambda: check(*next(pool)))
    benchmark.extra_info["subject"] = "signature alone"


def test_encode_base64(benchmark: Any) -> None:
    """Of the claims."""
    benchmark.group = "base64"
    pool = endless([compact(claims) for claims in all_claims()])
    benchmark(lambda: encoded(next(pool)))
    benchmark.extra_info["subject"] = "encode"


def test_decode_base64(benchmark: Any) -> None:
    """Of the claims."""
    benchmark.group = "base64"
    pool = endless([encoded(compact(claims)) for claims in all_claims()])
    benchmark(lambda: decoded(next(pool)))
    benchmark.extra_info["subject"] = "decode"


def test_write_json(benchmark: Any) -> None:
    """Of the claims."""
    benchmark.group = "JSON"
    pool = endless(all_claims())
    benchmark(lambda: compact(next(pool)))
    benchmark.extra_info["subject"] = "write"


def test_read_json(benchmark: Any) -> None:
    """Of the claims."""
    benchmark.group = "JSON"
    pool = endless([compact(claims) for claims in all_claims()])
    benchmark(lambda: json.loads(next(pool)))
    benchmark.extra_info["subject"] = "read"
