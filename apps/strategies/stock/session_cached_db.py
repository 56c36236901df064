"""`session-cached-db` on `django.contrib.sessions.backends.cached_db` as Django ships it."""

from apps.strategies.session_cached_db import *

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
