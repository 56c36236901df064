"""A signed token whose key is named by `kid` and fetched from a JWKS endpoint."""

from apps.shop.environment import existing_file, number, service_address
from apps.shop.settings import *
from apps.strategies._keys import kept_key

STRATEGY = {
    "name": "jwt-jwks",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token",
    "summary": "A signed bearer token (RS256), verified with a key from a JWKS endpoint.",
    "stores": [],
    "revocable": False,
    "private_key": "RS256",
    "twin": None,
    "service": "apps.services.jwks",
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
AUTHENTICATOR = "apps.strategies._jwt_jwks.JwtJwks"
AUTH_URL = service_address("AUTHBENCH_AUTH_URL")
JWKS_COOLDOWN_S = number("AUTHBENCH_JWKS_COOLDOWN_S", 10, smallest=1)
JWKS_MAX_AGE_S = number("AUTHBENCH_JWKS_MAX_AGE_S", 300, smallest=1)
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
SIGNING_KEY = kept_key("RS256")  # None: they are in a file
SIGNING_KEYS_FILE = "" if SIGNING_KEY else existing_file("AUTHBENCH_SIGNING_KEYS_FILE")
