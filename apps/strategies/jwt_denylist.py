"""A signed token whose `jti` is looked up in Valkey: a logout ends it."""

from apps.shop.environment import former_keys, number, signing_key
from apps.shop.settings import *

STRATEGY = {
    "name": "jwt-denylist",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token+cache",
    "summary": "A signed bearer token (HS256), and its `jti` looked up in a deny-list in Valkey.",
    "stores": ["cache"],
    "revocable": True,
    "twin": None,
    "operations": {
        "whoami": {"sql": 0, "cache": 1, "transactions": 0},
        "orders": {"sql": 1, "cache": 1, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 1, "transactions": 1},
        "reports-sales": {"sql": 1, "cache": 1, "transactions": 1},
        "preferences": {"sql": 0, "cache": 2, "transactions": 0},
        "refresh": {"sql": 1, "cache": 2, "transactions": 1},
        "logout": {"sql": 0, "cache": 2, "transactions": 0},
        "login": {"sql": 2, "cache": 0, "transactions": 2},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._jwt_denylist.JwtDenylist"
JWT_ALGORITHM = "HS256"
JWT_KEY = signing_key("AUTHBENCH_JWT_KEY")
JWT_KEY_FALLBACKS = former_keys("AUTHBENCH_JWT_KEY_FALLBACKS")
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
