"""The endpoints. Nothing here knows which strategy it serves."""

from typing import Any

from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import (
    LISTED_ORDERS,
    PRICE_CENTS,
    REPORTED_ORDERS,
    VIEW_REPORTS,
    Caller,
    to_json,
    whoami_body,
)
from apps.shop.bodies import read_login, read_order, read_preferences
from apps.shop.guards import authenticated, permitted, renewing
from apps.shop.health import check_dependencies
from apps.shop.models import Order
from apps.shop.problems import problem, unauthenticated
from apps.strategies._authenticator import KeepsNoStateError, authenticator

ORDER_FIELDS = ("id", "item", "quantity", "total_cents", "created")


def login(request: HttpRequest) -> HttpResponse:
    """Username and password for a credential."""
    username, password = read_login(request)
    # Costs the same for an unknown user as for a wrong password: Django hashes in both cases.
    user = authenticate(request, username=username, password=password)
    if user is None:
        return unauthenticated(request, "wrong username or password")
    members = authenticator().establish(request, user)
    return _json(_whoami(user.caller) | members)


@authenticated
def whoami(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Who calls."""
    if request.META["QUERY_STRING"] and request.GET.get("preferences") == "1":
        return _json(_whoami(caller) | {"preferences": authenticator().preferences(request)})
    return HttpResponse(whoami_body(caller), content_type="application/json")


@authenticated
def orders(request: HttpRequest, caller: Caller) -> HttpResponse:  # noqa: ARG001
    """The caller's newest orders."""
    return _json({"username": caller.username, "orders": newest_orders(caller)})


@authenticated
def create_order(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A new order of the caller."""
    item, quantity = read_order(request)
    try:
        order = place_order(caller, item, quantity)
    except IntegrityError:  # a stateless credential outlives its user's row
        return unauthenticated(request, "the user is gone")
    return _json({"username": caller.username, "order": order}, status=201)


@authenticated
@permitted(VIEW_REPORTS)
def sales(request: HttpRequest, caller: Caller) -> HttpResponse:  # noqa: ARG001
    """Count and worth of everybody's newest orders."""
    newest = Order.objects.order_by("-id")[:REPORTED_ORDERS]
    report = newest.aggregate(orders=Count("id"), total_cents=Sum("total_cents", default=0))
    # PostgreSQL sums big integers as numeric.
    return _json({"username": caller.username, "orders": report["orders"], "total_cents": int(report["total_cents"])})


@authenticated
def preferences(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Replaces the preferences kept with the login."""
    wanted = read_preferences(request)
    try:
        members = authenticator().keep_preferences(request, wanted)
    except KeepsNoStateError:
        return problem(409, "this strategy keeps no state")
    except IntegrityError:  # a stateless credential outlives its user's row
        return unauthenticated(request, "the user is gone")
    return _json({"username": caller.username, "preferences": wanted, **members})


@renewing
def refresh(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A renewed credential, where there is one to renew and the user may still log in."""
    renewed = authenticator().renew(request, caller)
    if renewed is None:
        return unauthenticated(request, "log in again")
    caller, members = renewed
    return _json(_whoami(caller) | members)


@authenticated
def logout(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Ends the login as far as the strategy can."""
    authenticator().end(request)
    return _json({"username": caller.username, "logged_out": True})


def public(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The control: no authentication, no store."""
    return _json({"public": True})


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready or not, for each store that this strategy needs."""
    states = check_dependencies()
    return _json(states, status=200 if all(state == "ok" for state in states.values()) else 503)


def newest_orders(caller: Caller) -> list[dict[str, Any]]:
    """As the contract lists them."""
    newest = Order.objects.filter(user_id=caller.id).order_by("-id").values(*ORDER_FIELDS)[:LISTED_ORDERS]
    return [_order(row) for row in newest]


def place_order(caller: Caller, item: str, quantity: int) -> dict[str, Any]:
    """The new order as the contract shows it. Raises IntegrityError where the caller's row is gone."""
    order = Order.objects.create(user_id=caller.id, item=item, quantity=quantity, total_cents=quantity * PRICE_CENTS)
    return _order({name: getattr(order, name) for name in ORDER_FIELDS})


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(to_json(value), content_type="application/json", status=status)


def _whoami(caller: Caller) -> dict[str, Any]:
    return {"id": caller.id, "username": caller.username, "permissions": list(caller.permissions)}


def _order(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "created": row["created"].isoformat()}
