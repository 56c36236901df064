"""The gateway: the one process that clients can reach. What it does with their credential is the entrance's doing."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.module_loading import import_string

from apps.contract.endpoints import to_json
from apps.services.mesh._calls import Answer, Connections, Question
from apps.services.mesh._entrances import Entrance
from apps.services.mesh._meter import Meter
from apps.services.mesh._told import TOPOLOGIES, place
from apps.shop.guards import View
from apps.shop.problems import problem
from apps.shop.urls import by_method, handler400, handler403, handler404, handler500  # noqa: F401
from apps.strategies._bearer import challenge_to

_meter = Meter()
_connections = Connections()
_entrance: Entrance = import_string(settings.MESH_ENTRANCE)()
_place = place()


def passing(address: str) -> View:
    """Leads to that address of the first service."""
    first = _place.address(1)

    def passed(request: HttpRequest) -> HttpResponse:
        headers = _entrance.admit(request)
        if headers is None:
            challenge = challenge_to(request.META.get("HTTP_AUTHORIZATION", ""))
            return problem(401, "log in first", {"WWW-Authenticate": challenge})
        (answer,) = _connections.ask([Question(first, f"/{address}", headers)])
        return _told(answer)

    return passed


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready. Whether the services are, is theirs to say."""
    return HttpResponse(to_json({"gateway": "ok"}), content_type="application/json")


def _told(answer: Answer) -> HttpResponse:
    headers = {name: answer.headers[name] for name in ("WWW-Authenticate",) if name in answer.headers}
    kind = answer.headers.get("Content-Type", "")
    return HttpResponse(answer.body, status=answer.status, content_type=kind, headers=headers)


def _patterns() -> list[URLPattern]:
    sizes = {shape: _place.below - extra for shape, extra in TOPOLOGIES.items()}
    addresses = [f"{shape}/{size}" for shape, most in sizes.items() for size in range(1, most + 1)]
    views = {address: _meter.counting(by_method({"GET": passing(address)})) for address in addresses}
    views |= {"counts": by_method({"GET": _meter.counts}), "healthz": by_method({"GET": healthz})}
    return [path(address, view) for address, view in views.items()]


urlpatterns = _patterns()
