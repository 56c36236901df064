"""Django REST framework's SessionAuthentication: sessions in PostgreSQL, the user row, and a CSRF token."""

from apps.shop.settings import *

STRATEGY = {
    "name": "drf-session",
    "carrier": "cookie",
    "freshness": "row",
    "location": "database",
    "summary": "Django REST framework's session authentication: PostgreSQL, user row, CSRF token.",
    "stores": ["database"],
    "revocable": True,
    "twin": None,
    "operations": {
        "whoami": {"sql": 2, "cache": 0, "transactions": 2},
        "orders": {"sql": 3, "cache": 0, "transactions": 3},
        "orders-create": {"sql": 3, "cache": 0, "transactions": 3},
        "reports-sales": {"sql": 3, "cache": 0, "transactions": 3},
        "preferences": {"sql": 3, "cache": 0, "transactions": 3},
        "refresh": {"sql": 7, "cache": 0, "transactions": 7},
        "logout": {"sql": 4, "cache": 0, "transactions": 4},
        "login": {"sql": 5, "cache": 0, "transactions": 5},
        "public": {"sql": 0, "cache": 0, "transactions": 0},
    },
}
AUTHENTICATOR = "apps.strategies._drf_session.DrfSession"
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework"]
MIDDLEWARE = [*MIDDLEWARE, "apps.strategies._drf_session.CsrfCookie", *SESSION_MIDDLEWARE, *USER_MIDDLEWARE]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE
CSRF_COOKIE_AGE = SESSION_COOKIE_AGE
CSRF_COOKIE_HTTPONLY = False  # a page's script reads it, to repeat it in a header
