"""The control: a fixed caller, the same views."""

from apps.shop.settings import *

STRATEGY = {
    "name": "none",
    "carrier": "none",
    "freshness": "none",
    "location": "none",
    "summary": "The control: the same views with a fixed caller, no credential and no store.",
    "stores": [],
    "revocable": False,
    "twin": None,
    "operations": {
        "whoami": {"sql": 0, "cache": 0, "transactions": 0},
        "orders": {"sql": 1, "cache": 0, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 0, "transactions": 1},
        "reports-sales": {"sql": 0, "cache": 0, "transactions": 0},
        "preferences": {"sql": 0, "cache": 0, "transactions": 0},
        "refresh": {"sql": 0, "cache": 0, "transactions": 0},
        "logout": {"sql": 0, "cache": 0, "transactions": 0},
        "login": {"sql": 1, "cache": 0, "transactions": 1},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._fixed.FixedCaller"
