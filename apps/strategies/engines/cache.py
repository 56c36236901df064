"""`django.contrib.sessions.backends.cache` with outages told apart from logouts."""

from typing import Any

from django.contrib.sessions.backends import cache
from django.contrib.sessions.backends.base import VALID_KEY_CHARS


class SessionStore(cache.SessionStore):
    """Django's `load` takes any exception of the cache for an unknown session."""

    def load(self) -> dict[str, Any]:
        """The session's data; a cache that does not answer raises redis.RedisError."""
        # What the original guards against: a cookie that cannot be part of a cache key.
        data = self._cache.get(self.cache_key) if set(self.session_key) <= set(VALID_KEY_CHARS) else None
        if data is None:
            self._session_key = None
            return {}
        return data
