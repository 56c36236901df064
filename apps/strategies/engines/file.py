"""`django.contrib.sessions.backends.file` with outages told apart from logouts."""

import os
from pathlib import Path
from typing import Any

from django.contrib.sessions.backends import file

from apps.shop.problems import StoreOutage


class SessionStore(file.SessionStore):
    """Django's `load` takes a folder that is gone for an unknown session; its `save` keeps quiet about a full disk."""

    def load(self) -> dict[str, Any]:
        """The session's data; a folder that cannot be read raises StoreOutage."""
        data = super().load()
        if not data and not os.access(self.storage_path, os.R_OK | os.X_OK):
            raise StoreOutage("the session folder cannot be read")
        return data

    def save(self, must_create: bool = False) -> None:
        """Writes it; raises StoreOutage where that failed, which Django would answer as if it had been done."""
        if self.session_key is None:
            self.create()  # which calls this with a key
            return
        path = self._key_to_file()
        before = _written(path)
        super().save(must_create)
        # Whatever was written is another file that took this one's place; `must_create` leaves an empty one at first.
        if _written(path) in (None, before):
            raise StoreOutage("the session file cannot be written")


def _written(path: str) -> int | None:
    """The file that holds a session there; None where there is none, or it is empty."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return None
    return found.st_ino if found.st_size else None
