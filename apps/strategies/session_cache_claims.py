"""Sessions in Valkey that hold the caller: the user row is read at login and refresh only."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-cache-claims",
    "carrier": "cookie",
    "freshness": "claims",
    "location": "cache",
    "summary": "Sessions in Valkey that hold id, username and permissions.",
    "stores": ["cache"],
    "revocable": True,
    "twin": "session-cache",
    "operations": {
        "whoami": {"sql": 0, "cache": 1, "transactions": 0},
        "orders": {"sql": 1, "cache": 1, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 1, "transactions": 1},
        "reports-sales": {"sql": 1, "cache": 1, "transactions": 1},
        "preferences": {"sql": 0, "cache": 3, "transactions": 0},
        "refresh": {"sql": 1, "cache": 6, "transactions": 1},
        "logout": {"sql": 0, "cache": 2, "transactions": 0},
        "login": {"sql": 2, "cache": 4, "transactions": 2},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionClaims"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE]
SESSION_ENGINE = "apps.strategies.engines.cache"
