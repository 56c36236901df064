"""Sessions in Valkey, the user row on every request."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-cache",
    "carrier": "cookie",
    "freshness": "row",
    "location": "cache",
    "summary": "Sessions in Valkey, user row on every request.",
    "stores": ["cache", "database"],
    "revocable": True,
    "twin": "session-cache-claims",
    "operations": {
        "whoami": {"sql": 1, "cache": 1, "transactions": 1},
        "orders": {"sql": 2, "cache": 1, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 1, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 1, "transactions": 2},
        "preferences": {"sql": 1, "cache": 3, "transactions": 1},
        "refresh": {"sql": 1, "cache": 6, "transactions": 1},
        "logout": {"sql": 1, "cache": 2, "transactions": 1},
        "login": {"sql": 2, "cache": 4, "transactions": 2},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionRow"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "apps.strategies.engines.cache"
