"""How a replica knows that the load balancer has authenticated a request: by a secret that only those two have."""

import hmac

from django.conf import settings
from django.http import HttpRequest

from apps.contract.endpoints import EDGE_SECRET_HEADER

SECRET = "HTTP_" + EDGE_SECRET_HEADER.upper().replace("-", "_")


def comes_from_edge(request: HttpRequest) -> bool:
    """Whether it carries the secret."""
    sent = request.META.get(SECRET, "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(sent, settings.EDGE_SECRET.encode())
