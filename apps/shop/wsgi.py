"""The WSGI application of one replica."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from apps.strategies._authenticator import authenticator

BOOT_ERROR = 3  # gunicorn's code for "do not start it again"

try:
    application = get_wsgi_application()
    # Everything a request needs is loaded now, so that a mistake stops the start and not the first request.
    get_resolver().url_patterns  # noqa: B018
    authenticator()
except ImproperlyConfigured as error:
    sys.stderr.write(f"shop: {error}\n")
    sys.exit(BOOT_ERROR)
