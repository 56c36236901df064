"""One service: checks the caller, asks the services below it, and tells what it and they have found.

`/chain/n`: n services one after the other, this one included. `/fan-out/n`: this one and, all at once, the n after it.
"""

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.contract.endpoints import Caller, to_json
from apps.services.mesh._calls import Connections, Question
from apps.services.mesh._meter import Meter
from apps.services.mesh._told import place
from apps.shop.guards import View, authenticated
from apps.shop.problems import Problem
from apps.shop.urls import by_method, handler400, handler403, handler404, handler500  # noqa: F401
from apps.strategies._authenticator import authenticator

_meter = Meter()
_connections = Connections()
_place = place()


def working(below: tuple[tuple[int, str], ...]) -> View:
    """Answers who called, with the answers of these services (number, path), which are asked with the same credential.

    502 where one of them refuses: it does not find who was found here.
    """
    asked = tuple((_place.address(number), path) for number, path in below)

    @authenticated
    def answer(request: HttpRequest, caller: Caller) -> HttpResponse:
        found = []
        if asked:
            carried = {settings.MESH_CARRIER: request.headers[settings.MESH_CARRIER]}
            for each in _connections.ask([Question(address, path, carried) for address, path in asked]):
                if each.status != 200:
                    raise Problem(502, f"a service below answered {each.status}")
                found.append(json.loads(each.body))
        told = {"service": _place.number, "id": caller.id, "username": caller.username, "below": found}
        return HttpResponse(to_json(told), content_type="application/json")

    return answer


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: its keys could be read. Whether the services below are, is theirs to say."""
    return HttpResponse(to_json({"service": _place.number}), content_type="application/json")


def _patterns() -> list[URLPattern]:
    authenticator()  # its keys are read now
    after = range(1, _place.below + 1)
    views = {"chain/1": working(())}
    views |= {f"chain/{n + 1}": working(((_place.number + 1, f"/chain/{n}"),)) for n in after}
    views |= {
        f"fan-out/{n}": working(tuple((_place.number + each, "/chain/1") for each in range(1, n + 1))) for n in after
    }
    counted = {address: _meter.counting(by_method({"GET": view})) for address, view in views.items()}
    counted |= {"counts": by_method({"GET": _meter.counts}), "healthz": by_method({"GET": healthz})}
    return [path(address, view) for address, view in counted.items()]


urlpatterns = _patterns()
