"""The ASGI application of one replica: the same project, views and middleware as `apps.shop.wsgi`.

Nothing in it is written for asyncio, as in most projects that move to an ASGI server: Django handles every request in
a thread of its own, made for that request (`asgiref.sync.ThreadSensitiveContext`). Whatever a thread keeps, such as a
persistent database connection, is kept for nobody (docs/pooling.md).
"""

import gc
import os
import sys

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from apps.strategies._authenticator import authenticator

BOOT_ERROR = 3  # as apps.shop.wsgi ends with

if os.environ.get("AUTHBENCH_EDGE"):
    raise SystemExit("shop: AUTHBENCH_EDGE is for management commands; a replica that is served has a load balancer")
try:
    application = get_asgi_application()
    # Everything a request needs is loaded now, so that a mistake stops the start and not the first request.
    get_resolver().url_patterns  # noqa: B018
    authenticator()
except ImproperlyConfigured as error:
    sys.stderr.write(f"shop: {error}\n")
    sys.exit(BOOT_ERROR)
# As gunicorn.conf.py does in each worker.
gc.collect()
gc.freeze()
