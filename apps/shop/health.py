"""Whether the stores that this strategy needs answer, each asked with a short limit."""

import os

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from apps.shop.problems import is_outage


def check_dependencies() -> dict[str, str]:
    """Store -> "ok" or "down", for the database and whatever else the strategy declares."""
    stores = sorted({"database", *settings.STRATEGY["stores"]})
    return {store: _state(store) for store in stores}


def _state(store: str) -> str:
    try:
        return "ok" if CHECKS[store]() else "down"
    except Exception as error:
        if is_outage(error):
            return "down"
        raise


def _database() -> bool:
    # A connection of its own: libpq bounds the time to open one (`connect_timeout`), but not a statement on an old one.
    with connection.wrap_database_errors:
        connection.get_new_connection(connection.get_connection_params()).close()
    return True


def _cache() -> bool:
    return bool(cache._cache.get_client().ping())


def _file() -> bool:
    return os.access(settings.SESSION_FILE_PATH, os.R_OK | os.W_OK | os.X_OK)


CHECKS = {"database": _database, "cache": _cache, "file": _file}
