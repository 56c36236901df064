"""The endpoint contract as an OpenAPI 3.1 document, written by drf-spectacular from views that nothing serves.

`manage.py openapi` prints it, and docs/schemas/openapi.json is that output. No replica imports this module or
drf-spectacular, so the document costs a measured request nothing; tests/security/test_schema.py holds every strategy
to it.
"""

from collections.abc import Mapping
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.views import APIView

from apps.contract.bodies import LARGEST_BODY, PREFERENCES_BYTES
from apps.contract.endpoints import AUTHENTICATION_INFO, ENDPOINTS, REPLICA_HEADER, SAFE_METHODS, VIEW_REPORTS, Endpoint
from apps.shop import schema_answers as answers
from apps.shop.schema_answers import problems
from apps.shop.schema_credentials import SCHEMES, by_strategy, requirements

JSON = "application/json"
VERSION = "1"
TITLE = "authbench shop"
DESCRIPTION = f"""\
The endpoints that every strategy serves alike; strategies differ in the credential, which `x-strategies` names.

Every strategy is an origin of its own. Addresses that take GET answer HEAD too, other methods are answered 405 with
`Allow`, other addresses 404, both with a problem document. Bodies are at most {LARGEST_BODY} bytes. What the load
balancer or the server refuses before the shop sees it (a request line or header that is no HTTP, or is too large) is
answered by them, and not described here."""
HEADERS: Mapping[str, Mapping[str, Any]] = {
    REPLICA_HEADER: {
        "description": "Which replica answered.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "Cache-Control": {"required": True, "schema": {"type": "string", "const": "no-store"}},
    AUTHENTICATION_INFO: {
        "description": 'RFC 9110, 11.6.3: `next-token="…"`, where tokens are used once.',
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "RFC 9110, 11.6.1.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 0}},
}
USUAL_HEADERS = (REPLICA_HEADER, "Cache-Control", AUTHENTICATION_INFO)
MORE_HEADERS: Mapping[str, tuple[str, ...]] = {"401": ("WWW-Authenticate",), "503": ("Retry-After",)}
BODIES: Mapping[str, Any] = {
    "login": answers.Login,
    "orders-create": answers.NewOrder,
    "preferences": {
        **answers.PREFERENCES,
        "description": f"All of the caller's preferences, by name; {PREFERENCES_BYTES} bytes in all.",
    },
}
OPTIONAL_BODIES: Mapping[str, Any] = {"refresh": answers.Renewal, "logout": answers.Renewal}
RIGHT: Mapping[str, Any] = {
    "login": answers.LoggedIn,
    "whoami": answers.WhoAmI,
    "orders": answers.Orders,
    "orders-create": answers.Ordered,
    "reports-sales": answers.Sales,
    "preferences": answers.Kept,
    "refresh": answers.LoggedIn,
    "logout": answers.LoggedOut,
    "public": answers.Public,
    "healthz": answers.HEALTH,
}
SAID: Mapping[str, str] = {
    "login": "Username and password for a credential.",
    "whoami": "Who calls.",
    "orders": "The caller's newest orders.",
    "orders-create": "A new order of the caller.",
    "reports-sales": f"Count and worth of everybody's newest orders; needs the permission `{VIEW_REPORTS}`.",
    "preferences": "Replaces the preferences kept with the login.",
    "refresh": "A renewed credential, where there is one to renew and the user may still log in.",
    "logout": "Ends the login as far as the strategy can.",
    "public": "The control: no authentication, no store.",
    "healthz": "Ready or not, for each store that the strategy needs.",
}
WHOAMI_PARAMETERS = [
    OpenApiParameter(
        "preferences", str, OpenApiParameter.QUERY, description="`1`: tell what is kept with the login, too."
    )
]


class _Schema(AutoSchema):
    """Takes the requirement as it is given: the shop asks no authentication class of DRF's."""

    def get_tags(self) -> list[str]:
        """One group an address."""
        return [self.path.rsplit("/", 1)[-1]]


def document() -> dict[str, Any]:
    """The OpenAPI document; the same bytes each time."""
    told = {
        "TITLE": TITLE,
        "DESCRIPTION": DESCRIPTION,
        "VERSION": VERSION,
        "OAS_VERSION": "3.1.0",
        "APPEND_COMPONENTS": {"securitySchemes": {name: dict(scheme) for name, scheme in SCHEMES.items()}},
        "EXTENSIONS_ROOT": {"x-strategies": by_strategy()},
        "SORT_OPERATIONS": False,
        "POSTPROCESSING_HOOKS": [],
        "ENABLE_DJANGO_DEPLOY_CHECK": False,
    }
    with patched_settings(told):
        made: dict[str, Any] = SchemaGenerator(patterns=_patterns()).get_schema(request=None, public=True)
    return _completed(made)


def _patterns() -> list[URLPattern]:
    addresses: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS.values():
        addresses.setdefault(endpoint.path, []).append(endpoint)
    return [path(address.lstrip("/"), _view(endpoints).as_view()) for address, endpoints in addresses.items()]


def _view(endpoints: list[Endpoint]) -> type[APIView]:
    """A class that has what drf-spectacular asks of a view, and is never called."""
    methods = {endpoint.method.lower(): _described(endpoint) for endpoint in endpoints}
    return type("Described", (APIView,), {"authentication_classes": [], **methods})


def _described(endpoint: Endpoint) -> Any:
    def handle(self: APIView, request: Any) -> None: ...

    handle.kwargs = {"schema": _Schema}  # which extend_schema builds upon, as it does for an action of a view set
    name = endpoint.name
    body = BODIES.get(name, OPTIONAL_BODIES.get(name))
    return extend_schema(
        operation_id=name,
        description=SAID[name],
        parameters=WHOAMI_PARAMETERS if name == "whoami" else [],
        request={JSON: body} if body is not None else None,
        responses={
            (endpoint.status, JSON): OpenApiResponse(RIGHT[name], description=SAID[name]),
            **_refusals(endpoint),
        },
        auth=[dict(each) for each in requirements(endpoint)],
    )(handle)


def _refusals(endpoint: Endpoint) -> dict[Any, OpenApiResponse]:
    """The problems that this endpoint may answer with."""
    if endpoint.name == "healthz":
        return {(503, JSON): OpenApiResponse(dict(answers.HEALTH), description="Not ready.")}
    found: set[int] = set()
    if endpoint.method not in SAFE_METHODS:
        found |= {400, 403, 413}
    if endpoint.authenticated:
        found |= {400, 401, 503}  # 400: a cookie that is no text, or a query with too many parameters
    if endpoint.name == "login":
        found |= {401, 503}
    if endpoint.name == "reports-sales":
        found.add(403)
    if endpoint.name == "preferences":
        found.add(409)
    return problems(*found)


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    """With what holds for all answers: their headers, and no members but those that are named."""
    closed = {each.__name__ for each in answers.ANSWERS}
    for name, schema in made["components"]["schemas"].items():
        if name in closed:
            schema["additionalProperties"] = False
    made["components"]["headers"] = {name: dict(header) for name, header in HEADERS.items()}
    for operations in made["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            if name in BODIES:
                operation["requestBody"]["required"] = True
            elif name in OPTIONAL_BODIES:
                operation["requestBody"].pop("required", None)
            for status, response in operation["responses"].items():
                more = () if name == "healthz" else MORE_HEADERS.get(status, ())
                response["headers"] = {
                    each: {"$ref": f"#/components/headers/{each}"} for each in (*USUAL_HEADERS, *more)
                }
    return made
