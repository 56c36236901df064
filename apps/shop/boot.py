"""What the applications of both servers do first: load all of it, so that a mistake stops the start, no request."""

import sys
from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from apps.strategies._authenticator import authenticator

BOOT_ERROR = 3  # gunicorn's code for "do not start it again"
Application = TypeVar("Application")


def booted(make: Callable[[], Application]) -> Application:
    """The application. Ends the process with one line where it is not configured rightly."""
    try:
        application = make()
        get_resolver().url_patterns  # noqa: B018 - loads all views
        authenticator()
    except ImproperlyConfigured as error:
        sys.stderr.write(f"shop: {error}\n")
        sys.exit(BOOT_ERROR)
    return application
