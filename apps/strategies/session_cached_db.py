"""Sessions read from Valkey and written through to PostgreSQL, the user row on every request."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-cached-db",
    "carrier": "cookie",
    "freshness": "row",
    "location": "cache+database",
    "summary": "Sessions read from Valkey and written through to PostgreSQL, user row on every request.",
    "stores": ["cache", "database"],
    "revocable": True,
    "twin": None,
    "operations": {
        "whoami": {"sql": 1, "cache": 1, "transactions": 1},
        "orders": {"sql": 2, "cache": 1, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 1, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 1, "transactions": 2},
        "preferences": {"sql": 2, "cache": 2, "transactions": 2},
        "refresh": {"sql": 6, "cache": 5, "transactions": 6},
        "logout": {"sql": 3, "cache": 2, "transactions": 3},
        "login": {"sql": 5, "cache": 3, "transactions": 5},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._session.SessionRow"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "apps.strategies.engines.cached_db"
