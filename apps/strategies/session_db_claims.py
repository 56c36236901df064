"""Sessions in PostgreSQL that hold the caller: the user row is read at login and refresh only."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-db-claims",
    "carrier": "cookie",
    "freshness": "claims",
    "location": "database",
    "summary": "Sessions in PostgreSQL that hold id, username and permissions.",
    "stores": ["database"],
    "revocable": True,
    "twin": "session-db",
    "operations": {
        "whoami": {"sql": 1, "cache": 0, "transactions": 1},
        "orders": {"sql": 2, "cache": 0, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 0, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 0, "transactions": 2},
        "preferences": {"sql": 2, "cache": 0, "transactions": 2},
        "refresh": {"sql": 7, "cache": 0, "transactions": 7},
        "logout": {"sql": 3, "cache": 0, "transactions": 3},
        "login": {"sql": 5, "cache": 0, "transactions": 5},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionClaims"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
