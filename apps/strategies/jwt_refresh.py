"""A short access token, and a refresh token that works once, of a family in PostgreSQL."""

from apps.shop.environment import former_keys, number, signing_key
from apps.shop.settings import *

STRATEGY = {
    "name": "jwt-refresh",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token",
    "summary": "A short bearer token (HS256), and a rotating refresh token in PostgreSQL.",
    "stores": [],
    "revocable": False,
    "twin": None,
    "own_tables": True,
    "operations": {
        "whoami": {"sql": 0, "cache": 0, "transactions": 0},
        "orders": {"sql": 1, "cache": 0, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 0, "transactions": 1},
        "reports-sales": {"sql": 1, "cache": 0, "transactions": 1},
        "preferences": {"sql": 1, "cache": 0, "transactions": 1},
        "refresh": {"sql": 2, "cache": 0, "transactions": 2},
        "logout": {"sql": 1, "cache": 0, "transactions": 1},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._jwt_refresh.JwtRefresh"
INSTALLED_APPS = [*INSTALLED_APPS, "apps.strategies.families"]
JWT_ALGORITHM = "HS256"
JWT_KEY = signing_key("AUTHBENCH_JWT_KEY")
JWT_KEY_FALLBACKS = former_keys("AUTHBENCH_JWT_KEY_FALLBACKS")
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 300, smallest=1)
REFRESH_GRACE_S = number("AUTHBENCH_REFRESH_GRACE_S", 0)
