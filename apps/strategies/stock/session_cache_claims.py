"""`session-cache-claims` on `django.contrib.sessions.backends.cache` as Django ships it."""

from apps.strategies.session_cache_claims import *

SESSION_ENGINE = "django.contrib.sessions.backends.cache"
