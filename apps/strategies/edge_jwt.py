"""A signed token that the load balancer verifies; replicas trust its word, and only its."""

from apps.shop.environment import number, shared_secret
from apps.shop.settings import *
from apps.strategies._keys import private_key

STRATEGY = {
    "name": "edge-jwt",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token",
    "summary": "A signed bearer token (RS256) that nginx verifies; replicas trust nginx, and only nginx.",
    "stores": [],
    "revocable": False,
    "private_key": "RS256",
    "twin": None,
    "edge": "jwt",
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
AUTHENTICATOR = "apps.strategies._edge_jwt.EdgeJwt"
EDGE_SECRET = shared_secret("AUTHBENCH_EDGE_SECRET")
EDGE_IN_PROCESS = os.environ.get("AUTHBENCH_EDGE") == "in-process"  # management commands, which have no balancer
JWT_ALGORITHM = "RS256"
JWT_KEY = private_key("AUTHBENCH_RSA_KEY", JWT_ALGORITHM)
JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)
