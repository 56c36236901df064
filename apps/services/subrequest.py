"""The auth service that a load balancer asks at every request (nginx's auth_request): whose is this token?"""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from apps.contract.endpoints import EDGE_CALLER_HEADER
from apps.services.calls import calls, counted
from apps.shop.problems import problem
from apps.shop.urls import by_method
from apps.shop.views import healthz
from apps.strategies._bearer import bearer_token
from apps.strategies._edge import comes_from_edge
from apps.strategies._edge_subrequest import told
from apps.strategies._opaque import digest_of, look_up


def authenticate(request: HttpRequest) -> HttpResponse:
    """204 with the caller in a header, or 401; to the load balancer only."""
    if not comes_from_edge(request):
        return problem(404, "there is no such address")
    digest = digest_of(bearer_token(request))
    login = look_up(digest) if digest else None
    if login is None:
        return HttpResponse(status=401)
    return HttpResponse(status=204, headers={EDGE_CALLER_HEADER: told(login)})


urlpatterns = [
    path("authenticate", counted(by_method({"GET": authenticate}))),
    path("calls", by_method({"GET": calls})),
    path("healthz", by_method({"GET": healthz})),
]
handler400 = "apps.shop.problems.bad_request"
handler403 = "apps.shop.problems.forbidden"
handler404 = "apps.shop.problems.not_found"
handler500 = "apps.shop.problems.server_error"
