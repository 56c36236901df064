"""djangorestframework-simplejwt's JWTStatelessUserAuthentication: a signed token that names the caller."""

from apps.shop.settings import *
from apps.strategies._drf_simplejwt_settings import simple_jwt

STRATEGY = {
    "name": "drf-simplejwt-stateless",
    "carrier": "bearer",
    "freshness": "claims",
    "location": "token",
    "summary": "djangorestframework-simplejwt, stateless: id, username and permissions in the token.",
    "stores": [],
    "revocable": False,
    "twin": "drf-simplejwt",
    "own_tables": True,
    "operations": {
        "whoami": {"sql": 0, "cache": 0, "transactions": 0},
        "orders": {"sql": 1, "cache": 0, "transactions": 1},
        "orders-create": {"sql": 1, "cache": 0, "transactions": 1},
        "reports-sales": {"sql": 1, "cache": 0, "transactions": 1},
        "preferences": {"sql": 1, "cache": 0, "transactions": 1},
        "refresh": {"sql": 7, "cache": 0, "transactions": 7},
        "logout": {"sql": 5, "cache": 0, "transactions": 5},
        "login": {"sql": 3, "cache": 0, "transactions": 3},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._drf_simplejwt.DrfSimpleJwt"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"]
}
SIMPLE_JWT = simple_jwt(STRATEGY_NAME) | {
    "TOKEN_OBTAIN_SERIALIZER": "apps.strategies._drf_claims.ClaimsSerializer",
    "TOKEN_USER_CLASS": "apps.strategies._drf_claims.ClaimsUser",
}
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "rest_framework_simplejwt.token_blacklist"]
