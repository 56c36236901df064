"""Sessions as files in a folder that replicas share, the user row on every request."""

from apps.shop.environment import existing_folder
from apps.shop.settings import *

STRATEGY = {
    "name": "session-file",
    "carrier": "cookie",
    "freshness": "row",
    "location": "file",
    "summary": "Sessions as files in a shared folder, user row on every request.",
    "stores": ["database", "file"],
    "revocable": True,
    "twin": None,
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
AUTHENTICATOR = "apps.strategies._session.SessionRow"
MIDDLEWARE = [*MIDDLEWARE, *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "apps.strategies.engines.file"
SESSION_FILE_PATH = existing_folder("AUTHBENCH_SESSION_DIR")
