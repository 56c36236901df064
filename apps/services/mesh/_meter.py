"""What a process of the mesh has received so far, for whoever measures. It counts one process: AUTHBENCH_WORKERS=1."""

import threading
from collections.abc import Mapping
from functools import wraps

from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import to_json
from apps.shop.guards import View

SEPARATORS = len(": \r\n")  # of a header line


class Meter:
    """Requests, bytes of their header lines, and connections that they came over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._header_bytes = 0
        self._peers: set[tuple[str, str]] = set()  # a kept connection has the same port at its other end

    def counting(self, view: View) -> View:
        """The view, each of whose requests is counted, whatever it is answered."""

        @wraps(view)
        def counted(request: HttpRequest) -> HttpResponse:
            meta = request.META
            received, peer = header_bytes(meta), (meta.get("REMOTE_ADDR", ""), meta.get("REMOTE_PORT", ""))
            with self._lock:
                self._requests += 1
                self._header_bytes += received
                self._peers.add(peer)
            return view(request)

        return counted

    def counts(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002
        """`GET /counts`, which is not counted."""
        with self._lock:
            counts = {
                "requests": self._requests,
                "header_bytes": self._header_bytes,
                "connections": len(self._peers),
            }
        return HttpResponse(to_json(counts), content_type="application/json")


def header_bytes(meta: Mapping[str, object]) -> int:
    """Bytes of a request's header lines, their ends included, from its WSGI environment (PEP 3333).

    A name is as long there as on the wire; a value is, but for blanks around it.
    """
    total = 0
    for name, value in meta.items():
        if name.startswith("HTTP_"):
            total += len(name) - len("HTTP_") + SEPARATORS + len(str(value))
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            total += len(name) + SEPARATORS + len(str(value))
    return total
