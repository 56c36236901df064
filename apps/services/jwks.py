"""The auth service of `jwt-jwks`: publishes the public halves of the signing keys (RFC 7517, section 5).

It takes no credentials and reads no store; the file of keys is the same that the replicas sign with.
"""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import to_json
from apps.services.calls import service_urls
from apps.shop.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here
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


urlpatterns = service_urls(".well-known/jwks.json", {"GET": jwks}, ready=healthz)
