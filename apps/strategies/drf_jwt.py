"""drf-jwt's JSONWebTokenAuthentication: a signed token, and the user row, by username, on every request."""

from datetime import timedelta

from apps.shop.environment import former_keys, number, signing_key
from apps.shop.settings import *
from apps.strategies._tokens import ISSUER, audience_of

STRATEGY = {
    "name": "drf-jwt",
    "carrier": "bearer",
    "freshness": "row",
    "location": "token",
    "summary": "drf-jwt, the fork of django-rest-framework-jwt: a signed bearer token, user row by username.",
    "stores": ["database"],
    "revocable": False,
    "twin": None,
    "known_breaks": ["missing claims: no exp"],
    "operations": {
        "whoami": {"sql": 1, "cache": 0, "transactions": 1},
        "orders": {"sql": 2, "cache": 0, "transactions": 2},
        "orders-create": {"sql": 2, "cache": 0, "transactions": 2},
        "reports-sales": {"sql": 2, "cache": 0, "transactions": 2},
        "preferences": {"sql": 2, "cache": 0, "transactions": 2},
        "refresh": {"sql": 1, "cache": 0, "transactions": 1},
        "logout": {"sql": 1, "cache": 0, "transactions": 1},
        "login": {"sql": 2, "cache": 0, "transactions": 2},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._drf_jwt.DrfJwt"
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_jwt.authentication.JSONWebTokenAuthentication"]}
_keys = [signing_key("AUTHBENCH_JWT_KEY"), *former_keys("AUTHBENCH_JWT_KEY_FALLBACKS")]
JWT_AUTH = {
    "JWT_SECRET_KEY": _keys if _keys[1:] else _keys[0],  # of a list the first signs, and each is tried in turn
    "JWT_EXPIRATION_DELTA": timedelta(seconds=number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)),
    "JWT_AUDIENCE": audience_of(STRATEGY_NAME),
    "JWT_ISSUER": ISSUER,
}
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework"]
