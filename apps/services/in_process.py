"""The auth service without a server: its views, called in this process, so that one list shows what both halves ask."""

import io
from collections.abc import Mapping

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import resolve

ADDRESS = "in-process:"  # what AUTHBENCH_AUTH_URL says for it


def ask(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> HttpResponse:
    """What the strategy's auth service answers. A store's outage raises; middleware is not run."""
    view = resolve(path, settings.STRATEGY["service"]).func
    request = WSGIRequest(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
    )
    return view(request)
