"""Which database a model lives in where sessions have a server of their own."""

from typing import Any

SESSIONS = "sessions"  # alias in settings.DATABASES, and the label of Django's own app
DEFAULT = "default"


class SessionRouter:
    """Sends `django.contrib.sessions`, and nothing else, to the database `sessions` (Django's database routers)."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        """The sessions' own database for a session; None: no opinion, which means the default one."""
        return SESSIONS if model._meta.app_label == SESSIONS else None

    def db_for_write(self, model: Any, **_: Any) -> str | None:
        """The same: a session is read where it is written."""
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        """The sessions' database has their table alone."""
        return app_label == SESSIONS if db == SESSIONS else None
