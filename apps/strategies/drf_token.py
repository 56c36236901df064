"""Django REST framework's TokenAuthentication: one token a user in PostgreSQL, in clear text."""

from apps.shop.settings import *

STRATEGY = {
    "name": "drf-token",
    "carrier": "bearer",
    "freshness": "row",
    "location": "database",
    "summary": "Django REST framework's tokens: one a user, in PostgreSQL, with the user row.",
    "stores": ["database"],
    "revocable": True,
    "twin": None,
    "own_tables": True,
    "operations": {
        "whoami": {"sql": 1, "cache": 0, "transactions": 1},
        "orders": {"sql": 2, "cache": 0, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 0, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 0, "transactions": 2},
        "preferences": {"sql": 2, "cache": 0, "transactions": 2},
        "refresh": {"sql": 3, "cache": 0, "transactions": 2},
        "logout": {"sql": 2, "cache": 0, "transactions": 2},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._drf_token.DrfToken"
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"]}
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "rest_framework.authtoken"]
