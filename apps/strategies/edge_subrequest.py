"""An opaque token about which the load balancer asks an auth service; replicas trust the balancer's word."""

from apps.shop.environment import number, shared_secret
from apps.shop.settings import *

STRATEGY = {
    "name": "edge-subrequest",
    "carrier": "bearer",
    "freshness": "row",
    "location": "service",
    "summary": "An opaque bearer token about which nginx asks an auth service (auth_request) at every request.",
    "stores": ["database"],
    "revocable": True,
    "twin": None,
    "own_tables": True,
    "service": "apps.services.subrequest",
    "edge": "subrequest",
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
AUTHENTICATOR = "apps.strategies._edge_subrequest.EdgeSubrequest"
EDGE_SECRET = shared_secret("AUTHBENCH_EDGE_SECRET")
EDGE_IN_PROCESS = os.environ.get("AUTHBENCH_EDGE") == "in-process"  # management commands, which have no balancer
INSTALLED_APPS = [*INSTALLED_APPS, "apps.strategies.opaque_tokens"]
ACCESS_TOKEN_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
