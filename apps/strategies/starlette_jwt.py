"""The token of `jwt-hs256`, served by Starlette under uvicorn.

For commands (`migrate`, `seed`, `mint`): the replicas read no settings, but their tokens are the same.
"""

from apps.shop.environment import former_keys, number, signing_key
from apps.shop.settings import *

STRATEGY = {
    "name": "starlette-jwt",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token",
    "summary": "A signed bearer token (HS256) on Starlette and uvicorn: coroutines instead of threads.",
    "stores": [],
    "revocable": False,
    "server": "uvicorn",
    "application": "apps.services.starlette_shop:application",
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
JWT_ALGORITHM = "HS256"
JWT_KEY = signing_key("AUTHBENCH_JWT_KEY")
JWT_KEY_FALLBACKS = former_keys("AUTHBENCH_JWT_KEY_FALLBACKS")
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
