"""The ASGI application of one replica: the same project, views and middleware as `apps.shop.wsgi`.

Nothing in it is written for asyncio, as in most projects that move to an ASGI server: Django handles every request in
a thread of its own, made for that request (`asgiref.sync.ThreadSensitiveContext`). Whatever a thread keeps, such as a
persistent database connection, is kept for nobody (docs/pooling.md).
"""

import gc
import os

from django.core.asgi import get_asgi_application

from apps.shop.boot import booted

if os.environ.get("AUTHBENCH_EDGE"):
    raise SystemExit("shop: AUTHBENCH_EDGE is for management commands; a replica that is served has a load balancer")
application = booted(get_asgi_application)
# As gunicorn.conf.py does in each worker.
gc.collect()
gc.freeze()
