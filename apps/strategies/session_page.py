"""The login in the page itself: signed state, passed back and forth. No store is asked."""

from apps.shop.settings import *

STRATEGY = {
    "name": "session-page",
    "carrier": "page",
    "freshness": "claims",
    "location": "page",
    "summary": "Signed state in the page, passed back and forth, with id, username and permissions.",
    "stores": [],
    "revocable": False,
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
AUTHENTICATOR = "apps.strategies._page.PageClaims"
ROOT_URLCONF = os.environ.get("AUTHBENCH_URLCONF") or "apps.shop.page_urls"
