"""djangorestframework-simplejwt's JWTAuthentication: a signed token, and the user row on every request."""

from apps.shop.settings import *
from apps.strategies._drf_simplejwt_settings import simple_jwt

STRATEGY = {
    "name": "drf-simplejwt",
    "carrier": "bearer",
    "freshness": "row",
    "location": "token",
    "summary": "djangorestframework-simplejwt: a signed bearer token, user row on every request.",
    "stores": ["database"],
    "revocable": False,
    "twin": "drf-simplejwt-stateless",
    "own_tables": True,
    "operations": {
        "whoami": {"sql": 1, "cache": 0, "transactions": 1},
        "orders": {"sql": 2, "cache": 0, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 0, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 0, "transactions": 2},
        "preferences": {"sql": 2, "cache": 0, "transactions": 2},
        "refresh": {"sql": 7, "cache": 0, "transactions": 7},
        "logout": {"sql": 6, "cache": 0, "transactions": 6},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._drf_simplejwt.DrfSimpleJwt"
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"]}
SIMPLE_JWT = simple_jwt(STRATEGY_NAME)
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "rest_framework_simplejwt.token_blacklist"]
