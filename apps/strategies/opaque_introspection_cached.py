"""The same opaque token, with the service's answers kept in the process for ten seconds."""

from apps.shop.environment import number, service_address, shared_secret
from apps.shop.settings import *

STRATEGY = {
    "name": "opaque-introspection-cached",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "service",
    "summary": "The same opaque token, with the service's answers kept in the process for ten seconds.",
    "stores": [],  # of a warm process; the service has its own
    "revocable": True,
    "revoked_within_s": 10.0,
    "twin": None,
    "own_tables": True,
    "service": "apps.services.introspection",
    "operations": {
        "whoami": {"sql": 0, "cache": 0, "transactions": 0},
        "orders": {"sql": 1, "cache": 0, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 0, "transactions": 1},
        "reports-sales": {"sql": 1, "cache": 0, "transactions": 1},
        "preferences": {"sql": 1, "cache": 0, "transactions": 1},
        "refresh": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "logout": {"sql": 2, "cache": 0, "transactions": 2, "auth": 1},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._introspection.IntrospectedCached"
INSTALLED_APPS = [*INSTALLED_APPS, "apps.strategies.opaque_tokens"]
AUTH_URL = service_address("AUTHBENCH_AUTH_URL")
SERVICE_SECRET = shared_secret("AUTHBENCH_SERVICE_SECRET")
ACCESS_TOKEN_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
INTROSPECTION_CACHE_S = number("AUTHBENCH_INTROSPECTION_CACHE_S", 10)
INTROSPECTION_CACHE_SIZE = 10_000  # answers
