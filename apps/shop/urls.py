"""The contract's addresses, each with the views of its methods."""

from collections import defaultdict

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.contract.endpoints import ENDPOINTS
from apps.shop import views
from apps.shop.guards import View
from apps.shop.problems import Problem, problem

VIEWS: dict[str, View] = {
    "login": views.login,
    "whoami": views.whoami,
    "orders": views.orders,
    "orders-create": views.create_order,
    "reports-sales": views.sales,
    "preferences": views.preferences,
    "refresh": views.refresh,
    "logout": views.logout,
    "public": views.public,
    "healthz": views.healthz,
}


def by_method(methods: dict[str, View]) -> View:
    """One view for an address: chooses by method, answers 405 to others, and turns Problem into its document."""
    if "GET" in methods:
        methods = methods | {"HEAD": methods["GET"]}
    allow = ", ".join(sorted(methods))

    def dispatch(request: HttpRequest) -> HttpResponse:
        view = methods.get(request.method or "")
        if view is None:
            return problem(405, f"this address takes {allow}", {"Allow": allow})
        try:
            return view(request)
        except Problem as raised:
            return raised.response()

    return dispatch


def _patterns() -> list[URLPattern]:
    addresses: dict[str, dict[str, View]] = defaultdict(dict)
    for name, endpoint in ENDPOINTS.items():
        addresses[endpoint.path][endpoint.method] = VIEWS[name]
    return [path(address.lstrip("/"), by_method(methods)) for address, methods in addresses.items()]


urlpatterns = _patterns()
handler400 = "apps.shop.problems.bad_request"
handler403 = "apps.shop.problems.forbidden"
handler404 = "apps.shop.problems.not_found"
handler500 = "apps.shop.problems.server_error"
