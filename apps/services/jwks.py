"""The auth service of `jwt-jwks`: publishes the public halves of the signing keys (RFC 7517, section 5).

It takes no credentials and reads no store; the file of keys is the same that the replicas sign with.
"""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from apps.contract.endpoints import to_json
from apps.services.calls import calls, counted
from apps.shop.urls import by_method
from apps.strategies._keys_file import KeyFile


def jwks(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The set as the file has it now."""
    return HttpResponse(to_json(_keys().current().published), content_type="application/jwk-set+json")


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: the keys were read at the start."""
    return HttpResponse(
        to_json({"keys": "ok" if _keys().current().private else "down"}), content_type="application/json"
    )


@cache
def _keys() -> KeyFile:
    return KeyFile(settings.SIGNING_KEYS_FILE)


urlpatterns = [
    path(".well-known/jwks.json", counted(by_method({"GET": jwks}))),
    path("calls", by_method({"GET": calls})),
    path("healthz", by_method({"GET": healthz})),
]
handler400 = "apps.shop.problems.bad_request"
handler403 = "apps.shop.problems.forbidden"
handler404 = "apps.shop.problems.not_found"
handler500 = "apps.shop.problems.server_error"
