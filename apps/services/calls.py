"""How many requests this process has answered as an auth service, for whoever measures what a strategy asks of it.

It counts one process: an auth service runs with AUTHBENCH_WORKERS=1.
"""

import threading
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import to_json

View = Callable[[HttpRequest], HttpResponse]
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


def calls(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """`GET /calls`: how many there were. It is not one of them."""
    return HttpResponse(to_json(_answered), content_type="application/json")
