"""The WSGI application of one replica."""

from django.core.wsgi import get_wsgi_application

from apps.shop.boot import booted

application = booted(get_wsgi_application)
