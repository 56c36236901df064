"""The auth service that a load balancer asks at every request (nginx's auth_request): whose is this token?"""

from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import EDGE_CALLER_HEADER
from apps.services.calls import service_urls
from apps.shop.problems import problem
from apps.shop.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here
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


urlpatterns = service_urls("authenticate", {"GET": authenticate})
