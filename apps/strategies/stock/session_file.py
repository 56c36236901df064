"""`session-file` on `django.contrib.sessions.backends.file` as Django ships it."""

from apps.strategies.session_file import *

SESSION_ENGINE = "django.contrib.sessions.backends.file"
