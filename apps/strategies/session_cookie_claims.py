"""The session itself in a signed cookie: no store is asked."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-cookie-claims",
    "carrier": "cookie",
    "freshness": "claims",
    "location": "cookie",
    "summary": "The session itself, with the caller, in a signed cookie.",
    "stores": [],
    "revocable": False,
    "twin": "session-cookie",
    "operations": {
        "whoami": {"sql": 0, "cache": 0, "transactions": 0},
        "orders": {"sql": 1, "cache": 0, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 0, "transactions": 1},
        "reports-sales": {"sql": 1, "cache": 0, "transactions": 1},
        "preferences": {"sql": 0, "cache": 0, "transactions": 0},
        "refresh": {"sql": 1, "cache": 0, "transactions": 1},
        "logout": {"sql": 0, "cache": 0, "transactions": 0},
        "login": {"sql": 2, "cache": 0, "transactions": 2},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionClaims"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
