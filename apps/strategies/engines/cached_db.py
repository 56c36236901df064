"""`django.contrib.sessions.backends.cached_db` that goes on reading while its cache is down."""

import logging
from typing import Any

from django.contrib.sessions.backends import cached_db
from redis import RedisError

logger = logging.getLogger("django.contrib.sessions")


class SessionStore(cached_db.SessionStore):
    """Django's falls back to the database for reading, but then fails to write what it read to the cache."""

    def load(self) -> dict[str, Any]:
        """The session's data from the cache, else from the database, else none."""
        try:
            return super().load()
        except RedisError:
            stored = self._get_session_from_db()
            return self.decode(stored.session_data) if stored else {}
