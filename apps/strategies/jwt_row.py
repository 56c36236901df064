"""A signed token, and the user row on every request."""

from apps.shop.environment import former_keys, number, signing_key
from apps.shop.settings import *

STRATEGY = {
    "name": "jwt-row",
    "carrier": "bearer",
    "freshness": "row",
    "location": "token",
    "summary": "A signed bearer token (HS256), user row on every request.",
    "stores": ["database"],
    "revocable": False,
    "twin": "jwt-hs256",
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
AUTHENTICATOR = "apps.strategies._jwt.JwtRow"
JWT_ALGORITHM = "HS256"
JWT_KEY = signing_key("AUTHBENCH_JWT_KEY")
JWT_KEY_FALLBACKS = former_keys("AUTHBENCH_JWT_KEY_FALLBACKS")
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
