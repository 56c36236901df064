"""A bounded cache of verified tokens in the process: a signature is checked once, its times at every request."""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Protocol

from apps.strategies._tokens import Claims


class Verifying(Protocol):
    """What accepts tokens or not."""

    def verify(self, token: str) -> Claims | None:
        """The claims of a valid token."""
        ...


class Remembering:
    """A verifier that remembers the claims of the last tokens that another one accepted; refusals are never remembered.

    Tokens are known by their SHA-256: 32 bytes each however long they are, and no live credential stays in memory.
    """

    def __init__(self, verifier: Verifying, size: int, clock: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._size = size
        self._clock = clock
        self._lock = Lock()
        self._held: OrderedDict[bytes, Claims] = OrderedDict()  # the longest unused first

    def __len__(self) -> int:
        return len(self._held)

    def verify(self, token: str) -> Claims | None:
        """What the verifier says. The claims belong to the cache: they are for reading only."""
        known = sha256(token.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            claims = self._held.get(known)
            if claims is not None:
                self._held.move_to_end(known)
        if claims is not None and claims["nbf"] <= self._clock() < claims["exp"]:
            return claims
        claims = self._verifier.verify(token)
        with self._lock:
            if claims is None:
                self._held.pop(known, None)
            else:
                self._held[known] = claims
                self._held.move_to_end(known)
                if len(self._held) > self._size:
                    self._held.popitem(last=False)
        return claims
