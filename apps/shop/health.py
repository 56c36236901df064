"""Whether the stores that this strategy needs answer, and its auth service: each asked with a short limit."""

import os
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db import connections

from apps.shop.problems import is_outage
from apps.shop.session_router import DEFAULT, SESSIONS
from apps.strategies._authenticator import authenticator


def check_dependencies() -> dict[str, str]:
    """Name -> "ok" or "down", for the database, whatever else the strategy declares, and the service that it asks."""
    checks = {store: CHECKS[store] for store in sorted({"database", *settings.STRATEGY["stores"]})}
    if SESSIONS in settings.DATABASES:
        checks[SESSIONS] = partial(_database, SESSIONS)
    ready = getattr(authenticator(), "is_ready", None)
    if ready and settings.STRATEGY.get("service") != settings.ROOT_URLCONF:  # the service would ask itself
        checks["service"] = ready
    return {name: _state(check) for name, check in checks.items()}


def _state(check: Callable[[], bool]) -> str:
    try:
        return "ok" if check() else "down"
    except Exception as error:
        if is_outage(error):
            return "down"
        raise


def _database(alias: str = DEFAULT) -> bool:
    # A connection of its own: libpq bounds the time to open one (`connect_timeout`), but not a statement on an old one.
    # And beside a pool, if there is one: what is closed here would be missing there.
    asked = connections[alias]
    with asked.wrap_database_errors:
        asked.Database.connect(**asked.get_connection_params()).close()
    return True


def _cache() -> bool:
    return bool(cache._cache.get_client().ping())


def _file() -> bool:
    return os.access(settings.SESSION_FILE_PATH, os.R_OK | os.W_OK | os.X_OK)


CHECKS = {"database": _database, "cache": _cache, "file": _file}
