"""`engines.cache` on `JsonMemory`, and sessions that another process has made for this one's memory."""

from collections.abc import Mapping
from typing import Any, Self

from apps.strategies.engines import cache


class SessionStore(cache.SessionStore):
    """Known to this process only, and forgotten when it ends."""

    @classmethod
    def adopt(cls, key: str, data: Mapping[str, Any], expires_in: int) -> Self:
        """Keeps a session under a key drawn elsewhere, for `expires_in` seconds."""
        session = cls(key)
        session._cache.set(session.cache_key, dict(data), expires_in)
        return session
