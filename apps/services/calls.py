"""How many requests this process has answered as an auth service, for whoever measures what a strategy asks of it.

It counts one process: an auth service runs with AUTHBENCH_WORKERS=1.
"""

import threading
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.contract.endpoints import to_json
from apps.shop.guards import View
from apps.shop.urls import by_method
from apps.shop.views import healthz

_lock = threading.Lock()
_answered = {"calls": 0}


def counted(view: View) -> View:
    """The view, each of whose requests is one call, whatever it is answered."""

    @wraps(view)
    def counting(request: HttpRequest) -> HttpResponse:
        with _lock:
            _answered["calls"] += 1
        return view(request)

    return counting


def service_urls(address: str, methods: dict[str, View], ready: View = healthz) -> list[URLPattern]:
    """The addresses of an auth service: its one question, counted; how often it was asked; whether it is ready.

    `ready`: what says so; that of the shop asks the stores.
    """
    return [
        path(address, counted(by_method(methods))),
        path("calls", by_method({"GET": calls})),
        path("healthz", by_method({"GET": ready})),
    ]


def calls(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """`GET /calls`: how many there were. It is not one of them."""
    return HttpResponse(to_json(_answered), content_type="application/json")
