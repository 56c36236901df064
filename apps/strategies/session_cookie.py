"""The session itself in a signed cookie, the user row on every request: Django's own signed cookies and login."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-cookie",
    "carrier": "cookie",
    "freshness": "row",
    "location": "cookie",
    "summary": "The session itself in a signed cookie, user row on every request.",
    "stores": ["database"],
    "revocable": False,
    "twin": "session-cookie-claims",
    "operations": {
        "whoami": {"sql": 1, "cache": 0, "transactions": 1},
        "orders": {"sql": 2, "cache": 0, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 0, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 0, "transactions": 2},
        "preferences": {"sql": 1, "cache": 0, "transactions": 1},
        "refresh": {"sql": 1, "cache": 0, "transactions": 1},
        "logout": {"sql": 1, "cache": 0, "transactions": 1},
        "login": {"sql": 2, "cache": 0, "transactions": 2},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionRow"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
