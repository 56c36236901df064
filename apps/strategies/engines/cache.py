"""`django.contrib.sessions.backends.cache` with outages told apart from logouts."""

from typing import Any

from django.contrib.sessions.backends import cache
from django.contrib.sessions.backends.base import VALID_KEY_CHARS

LONGEST_KEY = 40  # characters; Django's table has room for no more, and draws 32


class SessionStore(cache.SessionStore):
    """Django's `load` takes any exception of the cache for an unknown session."""

    def load(self) -> dict[str, Any]:
        """The session's data; a cache that does not answer raises redis.RedisError."""
        # What the original guards against: a cookie that cannot be part of a cache key. At each long one Django would
        # print a warning with the whole cookie, and remember it for good.
        lawful = len(self.session_key) <= LONGEST_KEY and set(self.session_key) <= set(VALID_KEY_CHARS)
        data = self._cache.get(self.cache_key) if lawful else None
        if data is None:
            self._session_key = None
            return {}
        return data
