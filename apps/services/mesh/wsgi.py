"""The WSGI application of any process of the mesh: its URL configuration makes what its role needs, and no more.

`apps.shop.wsgi` would make what checks a caller too, which a gateway has no key for.
"""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

BOOT_ERROR = 3  # gunicorn's code for "do not start it again"

try:
    application = get_wsgi_application()
    get_resolver().url_patterns  # noqa: B018 - loaded now, so that a mistake stops the start and not the first request
except ImproperlyConfigured as error:
    sys.stderr.write(f"mesh: {error}\n")
    sys.exit(BOOT_ERROR)
