"""Public keys by `kid`, as a JWKS endpoint publishes them (RFC 7517): fetched seldom, kept for a bounded time.

PyJWT's own `PyJWKClient` is not used: it asks again at each unknown `kid` while the endpoint is down, forgets keys that
are still good when a fetch fails, goes through proxies that the environment names, and locks for each request.
"""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from apps.services import in_process
from apps.shop.problems import StoreOutage
from apps.strategies._keys import SMALLEST_RSA_BITS
from apps.strategies._keys_file import ALGORITHM, PUBLIC, is_kid

PATH = "/.well-known/jwks.json"
PATIENCE_S = 1.0  # to connect, to begin an answer, and to end it
LARGEST_SET = 64 * 1024  # bytes
LONGEST_STALE_S = 900  # how long keys stay good beyond their age while the endpoint does not answer
Keys = Mapping[str, RSAPublicKey]


class PublishedKeys:
    """The newest set of keys, and when to ask for a newer one.

    `fetch` raises StoreOutage where it gets none. At most one fetch a cool-down, whatever is asked for.
    """

    def __init__(
        self,
        fetch: Callable[[], Keys],
        *,
        cooldown_s: float,
        max_age_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._cooldown_s = cooldown_s
        self._max_age_s = max_age_s
        self._clock = clock
        self._fetching = Lock()
        # Replaced as one value, so that a reader needs no lock: the keys, and when they were fetched.
        self._newest: tuple[Keys, float] = ({}, float("-inf"))
        self._asked = float("-inf")
        self._failed = True  # until a fetch succeeds, nothing is known about any key

    def key(self, kid: str, plausible: Callable[[], bool]) -> RSAPublicKey | None:
        """The key of that name; None where the newest set has none, or none was asked for since `plausible` says no.

        Raises StoreOutage where no set that is young enough has it and the endpoint does not answer.
        """
        known, age = self._known(kid)
        if known is not None and age < self._max_age_s:
            return known
        if not plausible():
            return None
        # Whoever has a key that is still good need not wait for somebody else's fetch.
        if self._fetching.acquire(blocking=known is None or age >= self._max_age_s + LONGEST_STALE_S):
            try:
                self._renew(kid)
            finally:
                self._fetching.release()
        known, age = self._known(kid)
        if known is not None and age < self._max_age_s + LONGEST_STALE_S:
            return known
        if self._failed:
            raise StoreOutage
        return None

    def _known(self, kid: str) -> tuple[RSAPublicKey | None, float]:
        keys, fetched = self._newest
        return keys.get(kid), self._clock() - fetched

    def _renew(self, kid: str) -> None:
        known, age = self._known(kid)
        now = self._clock()
        if (known is not None and age < self._max_age_s) or now - self._asked < self._cooldown_s:
            return  # somebody else has just asked
        self._asked = now
        try:
            self._newest = (self._fetch(), now)
            self._failed = False
        except StoreOutage:
            self._failed = True


class Endpoint:
    """A JWKS endpoint at `http://host:port`: no proxy, no redirect, a connection a fetch, bounded in time and size."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc  # empty: the service is in this process

    def __call__(self) -> Keys:
        """The keys that it publishes now. Raises StoreOutage."""
        try:
            return public_keys(self._read())
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise StoreOutage(f"the JWKS endpoint does not answer ({type(error).__name__})") from error

    def _read(self) -> bytes:
        if not self._host:
            return in_process.ask("GET", PATH, {}).content
        deadline = time.monotonic() + PATIENCE_S
        body = b""
        with closing(http.client.HTTPConnection(self._host, timeout=PATIENCE_S)) as connection:
            connection.request("GET", PATH, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise ValueError("another status than 200")
            while part := answer.read1(LARGEST_SET):
                body += part
                if len(body) > LARGEST_SET or time.monotonic() > deadline:
                    raise ValueError("too large or too slow")
        return body


def public_keys(body: bytes) -> Keys:
    """The RS256 keys of a set; what is of another kind is not looked at. Raises ValueError where it is no set."""
    content = json.loads(body)
    if not isinstance(content, dict) or not isinstance(content.get("keys"), list):
        raise ValueError("not a JWK set")  # noqa: TRY004 - what is wrong is a value, far away
    found = (_public_key(jwk) for jwk in content["keys"])
    return dict(named for named in found if named is not None)


def _public_key(jwk: Any) -> tuple[str, RSAPublicKey] | None:
    if not isinstance(jwk, dict) or not is_kid(jwk.get("kid")):
        return None
    if jwk.get("kty") != "RSA" or jwk.get("use", "sig") != "sig" or jwk.get("alg", ALGORITHM) != ALGORITHM:
        return None
    try:
        key = RSAAlgorithm.from_jwk({name: jwk[name] for name in PUBLIC})
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return (jwk["kid"], key) if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA_BITS else None
