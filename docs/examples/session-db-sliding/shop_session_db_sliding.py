"""Django's database sessions that end some time after the LAST request: each request writes the session anew."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-db-sliding",
    "carrier": "cookie",
    "freshness": "row",
    "location": "database",
    "summary": "Sessions in PostgreSQL that live on with every request, user row on every request.",
    "stores": ["database"],
    "revocable": True,
    "operations": {
        "whoami": {"sql": 3, "cache": 0, "transactions": 3},
        "orders": {"sql": 4, "cache": 0, "transactions": 4},
        "preferences": {"sql": 3, "cache": 0, "transactions": 3},
        "logout": {"sql": 4, "cache": 0, "transactions": 4},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionRow"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_AGE = 1800  # seconds without a request
