"""`django.contrib.sessions.backends.file` with outages told apart from logouts."""

import os
from typing import Any

from django.contrib.sessions.backends import file

from apps.shop.problems import StoreOutage


class SessionStore(file.SessionStore):
    """Django's `load` takes a folder that is gone for an unknown session."""

    def load(self) -> dict[str, Any]:
        """The session's data; a folder that cannot be read raises StoreOutage."""
        data = super().load()
        if not data and not os.access(self.storage_path, os.R_OK | os.X_OK):
            raise StoreOutage("the session folder cannot be read")
        return data
