"""An opaque bearer token that a central service is asked about at every request (RFC 7662)."""

from apps.shop.environment import number, service_address, shared_secret
from apps.shop.settings import *

STRATEGY = {
    "name": "opaque-introspection",
    "carrier": "bearer",
    "freshness": "row",
    "location": "service",
    "summary": "An opaque bearer token that a central service is asked about at every request (RFC 7662).",
    "stores": ["database"],
    "revocable": True,
    "twin": None,
    "own_tables": True,
    "service": "apps.services.introspection",
    "operations": {
        "whoami": {"sql": 1, "cache": 0, "transactions": 1, "auth": 1},
        "orders": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "orders-create": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "reports-sales": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "preferences": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "refresh": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "logout": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._introspection.Introspected"
INSTALLED_APPS = [*INSTALLED_APPS, "apps.strategies.opaque_tokens"]
AUTH_URL = service_address("AUTHBENCH_AUTH_URL")
SERVICE_SECRET = shared_secret("AUTHBENCH_SERVICE_SECRET")
ACCESS_TOKEN_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
