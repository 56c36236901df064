"""Base settings: what a careful team deploys. Each strategy's module starts with `from apps.shop.settings import *`.

docs/shop.md explains every choice and lists the environment variables.
"""

import os

from apps.shop.environment import databases, former_secrets, optional, required

# A strategy's module is called like the strategy, so `manage.py` needs no variable for it.
STRATEGY_NAME = os.environ.get("AUTHBENCH_STRATEGY") or (
    os.environ.get("DJANGO_SETTINGS_MODULE", "").rpartition(".")[2].replace("_", "-")
)
REPLICA = os.environ.get("AUTHBENCH_REPLICA", "") or "0"
# Stores show it for each connection, so that none is charged to another strategy.
CONNECTION_NAME = f"authbench:{STRATEGY_NAME}:{REPLICA}"

DEBUG = False
SECRET_KEY = required("AUTHBENCH_SECRET_KEY")
SECRET_KEY_FALLBACKS = former_secrets("AUTHBENCH_SECRET_KEY_FALLBACKS")  # accepted, never signed with
ALLOWED_HOSTS = os.environ.get("AUTHBENCH_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
ROOT_URLCONF = os.environ.get("AUTHBENCH_URLCONF") or "apps.shop.urls"  # another one for an auth service
AUTH_USER_MODEL = "shop.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024  # bytes; the largest lawful body is a tenth of it

# The same for every strategy, so that all databases can be copies of one. No admin, no messages, no static files.
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "apps.shop"]
MIDDLEWARE = [
    "apps.shop.middleware.answer_headers",
    "django.middleware.security.SecurityMiddleware",
    "apps.shop.middleware.cross_origin_protection",
]
if os.environ.get("AUTHBENCH_REQUEST_LOG"):
    MIDDLEWARE.insert(0, "apps.shop.request_log.request_log")
SESSION_MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
USER_MIDDLEWARE = ["django.contrib.auth.middleware.AuthenticationMiddleware"]

# TLS ends at the load balancer, so the hop behind it is not redirected. gunicorn sets the scheme from
# X-Forwarded-Proto, and only for peers it trusts: stricter than SECURE_PROXY_SSL_HEADER, which would believe any.
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000

DATABASES = databases(CONNECTION_NAME)
DATABASE_ROUTERS = ["apps.shop.session_router.SessionRouter"] if "sessions" in DATABASES else []
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": optional("AUTHBENCH_CACHE_URL"),
        "KEY_PREFIX": STRATEGY_NAME,
        "OPTIONS": {
            "serializer": "apps.shop.cache_values.JsonValues",
            "client_name": CONNECTION_NAME,
            "socket_timeout": 1.0,
            "socket_connect_timeout": 1.0,
        },
    }
}

SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_NAME = "__Host-sessionid"  # RFC 6265bis: only with Secure, Path=/ and no Domain
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # seconds
SESSION_SAVE_EVERY_REQUEST = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"outages": {"()": "apps.shop.problems.OutageInOneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["outages"]}},
    "root": {"handlers": ["stderr"], "level": "ERROR"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}
