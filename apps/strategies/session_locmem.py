"""Sessions in the memory of one replica's process, the user row on every request."""

from apps.shop.environment import existing_folder, number
from apps.shop.settings import *

STRATEGY = {
    "name": "session-locmem",
    "carrier": "cookie",
    "freshness": "row",
    "location": "memory",
    "summary": "Sessions in the replica's own memory behind sticky routing, user row on every request.",
    "stores": ["database"],
    "revocable": True,
    "twin": None,
    "sticky": True,
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
AUTHENTICATOR = "apps.strategies._session_memory.SessionMemory"
# Around the middleware that sets the session cookie.
ROUTE = "apps.strategies._session_memory.route_follows_session"
MIDDLEWARE = [*MIDDLEWARE, ROUTE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "apps.strategies.engines.locmem"
LIMITS = {"MAX_ENTRIES": 100_000, "CULL_FREQUENCY": 1000}  # Django's defaults: 300, and a third of them
CACHES = {"default": {"BACKEND": "apps.strategies.engines.json_memory.JsonMemory", "OPTIONS": LIMITS}}
SESSION_FOLDER = existing_folder("AUTHBENCH_SESSION_DIR")
SITE = os.environ.get("AUTHBENCH_SITE") or STRATEGY_NAME  # its replicas are called <SITE>-1, <SITE>-2, …
REPLICAS = number("AUTHBENCH_REPLICAS", 2, smallest=1)
WORKERS = number("AUTHBENCH_WORKERS", 1, smallest=1)
