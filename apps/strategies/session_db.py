"""Sessions in PostgreSQL, the user row on every request: Django's default."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-db",
    "carrier": "cookie",
    "freshness": "row",
    "location": "database",
    "summary": "Sessions in PostgreSQL, user row on every request: Django's default.",
    "stores": ["database"],
    "revocable": True,
    "twin": "session-db-claims",
    "operations": {
        "whoami": {"sql": 2, "cache": 0, "transactions": 2},
        "orders": {"sql": 3, "cache": 0, "transactions": 3},
        "orders-create": {"sql": 3, "cache": 0, "transactions": 3},
        "reports-sales": {"sql": 3, "cache": 0, "transactions": 3},
        "preferences": {"sql": 3, "cache": 0, "transactions": 3},
        "refresh": {"sql": 7, "cache": 0, "transactions": 7},
        "logout": {"sql": 4, "cache": 0, "transactions": 4},
        "login": {"sql": 5, "cache": 0, "transactions": 5},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionRow"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
