"""A line an answered request, where AUTHBENCH_REQUEST_LOG names a folder: what a bench counts its own outcomes against.

Off otherwise: no line of it runs. Only requests that carry X-Request-ID are logged, one line `<id> <status>`, each by
one write at the end of `<folder>/<replica>.log`, before the answer leaves: a killed replica's lines stay.
"""

import os
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

FOLDER = "AUTHBENCH_REQUEST_LOG"
HEADER = "HTTP_X_REQUEST_ID"
LONGEST = 64  # characters of an id

Handler = Callable[[HttpRequest], HttpResponse]


def request_log(handle: Handler) -> Handler:
    """The outermost middleware. Raises ImproperlyConfigured where the file cannot be opened."""
    path = Path(os.environ[FOLDER]) / f"{settings.REPLICA}.log"
    try:
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise ImproperlyConfigured(f"{FOLDER}: cannot write {path} ({error.strerror})") from None

    def handled(request: HttpRequest) -> HttpResponse:
        response = handle(request)
        identity = request.META.get(HEADER, "")
        if identity and len(identity) <= LONGEST and identity.isalnum() and identity.isascii():
            os.write(log, f"{identity} {response.status_code}\n".encode())
        return response

    return handled
