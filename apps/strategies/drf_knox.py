"""django-rest-knox: one token a login in PostgreSQL, hashed and with an end."""

from datetime import timedelta

from apps.shop.settings import *

STRATEGY = {
    "name": "drf-knox",
    "carrier": "bearer",
    "freshness": "row",
    "location": "database",
    "summary": "django-rest-knox's tokens: one a login, hashed, in PostgreSQL, with the user row.",
    "stores": ["database"],
    "revocable": True,
    "twin": None,
    "own_tables": True,
    "operations": {
        "whoami": {"sql": 2, "cache": 0, "transactions": 2},
        "orders": {"sql": 3, "cache": 0, "transactions": 3},
        "orders-create": {"sql": 3, "cache": 0, "transactions": 3},
        "reports-sales": {"sql": 3, "cache": 0, "transactions": 3},
        "preferences": {"sql": 3, "cache": 0, "transactions": 3},
        "refresh": {"sql": 4, "cache": 0, "transactions": 3},
        "logout": {"sql": 3, "cache": 0, "transactions": 3},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._drf_knox.DrfKnox"
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"]}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=12)
}  # as long as the sessions of others; every other setting is the package's
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "knox"]
