"""What requests may say and what answers look like, for the OpenAPI document only: no view reads these classes."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers

from apps.contract.bodies import (
    LONGEST_ITEM,
    LONGEST_PASSWORD,
    LONGEST_PREFERENCE,
    LONGEST_PREFERENCE_NAME,
    LONGEST_USERNAME,
    MOST_PIECES,
    MOST_PREFERENCES,
)
from apps.contract.endpoints import LISTED_ORDERS, PRICE_CENTS, PROBLEM_JSON

NO_NUL = r"^[^\u0000]*$"  # nor half of a surrogate pair, which no pattern can say
YES = {"type": "boolean", "const": True}
PREFERENCES: Mapping[str, Any] = {
    "type": "object",
    "maxProperties": MOST_PREFERENCES,
    "propertyNames": {"type": "string", "minLength": 1, "maxLength": LONGEST_PREFERENCE_NAME, "pattern": NO_NUL},
    "additionalProperties": {"type": "string", "maxLength": LONGEST_PREFERENCE, "pattern": NO_NUL},
}


def text(longest: int) -> dict[str, Any]:
    """A string that PostgreSQL can keep, of 1 to `longest` characters."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": NO_NUL}


def exactly(schema: Mapping[str, Any], *, required: bool = True) -> serializers.Field:
    """A member of just that JSON Schema."""
    field = type("Exact", (serializers.JSONField,), {})
    return extend_schema_field(dict(schema))(field)(required=required)


class Login(serializers.Serializer):
    """Username and password; further members are ignored."""

    username = exactly(text(LONGEST_USERNAME))
    password = exactly(text(LONGEST_PASSWORD))


class NewOrder(serializers.Serializer):
    """What is ordered; further members are ignored."""

    item = exactly(text(LONGEST_ITEM))
    quantity = exactly({"type": "integer", "minimum": 1, "maximum": MOST_PIECES})


class Renewal(serializers.Serializer):
    """What a refresh token needs; strategies without one ignore the body."""

    refresh_token = serializers.CharField(required=False)


class Caller(serializers.Serializer):
    """Who calls."""

    id = exactly({"type": "integer", "minimum": 1})
    username = exactly({"type": "string", "minLength": 1, "maxLength": LONGEST_USERNAME})
    permissions = exactly({"type": "array", "items": {"type": "string"}, "uniqueItems": True})


class WhoAmI(Caller):
    """Who calls, and on request what is kept with the login."""

    preferences = exactly(PREFERENCES, required=False)


class Renewed(serializers.Serializer):
    """The members that a strategy adds whose credential is not a cookie (RFC 6749, 5.1)."""

    access_token = exactly({"type": "string", "minLength": 1}, required=False)
    token_type = exactly({"type": "string", "minLength": 1}, required=False)
    expires_in = exactly({"type": "integer", "minimum": 0, "description": "seconds"}, required=False)
    refresh_token = exactly({"type": "string", "minLength": 1}, required=False)
    state = exactly({"type": "string", "minLength": 1, "description": "signed, for the page"}, required=False)


class LoggedIn(Caller, Renewed):
    """Who has logged in, with the credential where it is not a cookie."""


class Order(serializers.Serializer):
    """An order."""

    id = exactly({"type": "integer", "minimum": 1})
    item = exactly({"type": "string", "maxLength": LONGEST_ITEM})
    quantity = exactly({"type": "integer", "minimum": 1, "maximum": MOST_PIECES})
    total_cents = exactly({"type": "integer", "multipleOf": PRICE_CENTS})
    created = exactly({"type": "string", "format": "date-time"})


class Orders(serializers.Serializer):
    """The caller's newest orders."""

    username = serializers.CharField()
    orders = serializers.ListField(child=Order(), max_length=LISTED_ORDERS)


class Ordered(serializers.Serializer):
    """The order that was made."""

    username = serializers.CharField()
    order = Order()


class Sales(serializers.Serializer):
    """Count and worth of everybody's newest orders."""

    username = serializers.CharField()
    orders = exactly({"type": "integer", "minimum": 0})
    total_cents = exactly({"type": "integer", "minimum": 0})


class Kept(Renewed):
    """The preferences now kept with the login; with a new credential where they travel in it."""

    username = serializers.CharField()
    preferences = exactly(PREFERENCES)


class LoggedOut(serializers.Serializer):
    """The login has ended as far as the strategy can end it."""

    username = serializers.CharField()
    logged_out = exactly(YES)


class Public(serializers.Serializer):
    """The same for everybody."""

    public = exactly(YES)


class Problem(serializers.Serializer):
    """RFC 9457, of the generic type: status and detail say all there is."""

    type = exactly({"type": "string", "const": "about:blank"})
    title = exactly({"type": "string", "minLength": 1})
    status = exactly({"type": "integer", "minimum": 400, "maximum": 599})
    detail = exactly({"type": "string", "minLength": 1})


ANSWERS = (WhoAmI, LoggedIn, Order, Orders, Ordered, Sales, Kept, LoggedOut, Public, Problem)
HEALTH: Mapping[str, Any] = {"type": "object", "additionalProperties": {"type": "string", "enum": ["ok", "down"]}}
PROBLEMS: Mapping[int, str] = {
    400: "The request is malformed.",
    401: "No valid credential; nothing more is told.",
    403: "Not allowed: the permission is missing, or a browser says that another origin sent this.",
    409: "The strategy keeps no state.",
    413: "The body is too large.",
    503: "A store did not answer: nothing is known about the caller.",
}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The problem documents with these statuses."""
    return {
        (status, PROBLEM_JSON): OpenApiResponse(Problem, description=PROBLEMS[status]) for status in sorted(statuses)
    }
