"""The auth service of `jwt-jwks`: publishes the public halves of the signing keys (RFC 7517, section 5).

It takes no credentials and reads no store; the keys are those that the replicas sign with.
"""

from functools import cache

from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import to_json
from apps.services.calls import service_urls
from apps.shop.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here
from apps.strategies._keys_transit import KeysInFile, KeysInTransit, named_keys


def jwks(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The set as it is now."""
    return HttpResponse(to_json(_keys().published()), content_type="application/jwk-set+json")


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: the keys were read at the start."""
    return HttpResponse(
        to_json({"keys": "ok" if _keys().published()["keys"] else "down"}), content_type="application/json"
    )


@cache
def _keys() -> KeysInTransit | KeysInFile:
    return named_keys()


urlpatterns = service_urls(".well-known/jwks.json", {"GET": jwks}, ready=healthz)
