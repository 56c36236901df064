"""A signed token that names the caller, with a private key (RSA, 2048 bits or more): no store is asked."""

from apps.shop.environment import number
from apps.shop.settings import *
from apps.strategies._keys import private_key

STRATEGY = {
    "name": "jwt-rs256",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token",
    "summary": "A signed bearer token (RS256) with id, username and permissions.",
    "stores": [],
    "revocable": False,
    "private_key": "RS256",
    "twin": None,
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
AUTHENTICATOR = "apps.strategies._jwt.JwtClaims"
JWT_ALGORITHM = "RS256"
JWT_KEY = private_key("AUTHBENCH_RSA_KEY", JWT_ALGORITHM)
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
