"""What a request's JSON body may be; anything else is a 400 or 413 problem."""

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from apps.contract.endpoints import to_json
from apps.shop.problems import Problem

LONGEST_USERNAME = 150  # Django's
LONGEST_PASSWORD = 1024
LONGEST_ITEM = 100
MOST_PIECES = 1000
# Preferences travel in cookies and tokens too, and those have room for 4 and 8 KiB.
MOST_PREFERENCES = 10
LONGEST_PREFERENCE_NAME = 32
LONGEST_PREFERENCE = 64
PREFERENCES_BYTES = 1024


def read_login(request: HttpRequest) -> tuple[str, str]:
    """Username and password."""
    body = _json_object(request)
    username, password = body.get("username"), body.get("password")
    if not _is_text(username, LONGEST_USERNAME) or not _is_text(password, LONGEST_PASSWORD):
        raise Problem(400, "username and password must be non-empty strings")
    return username, password


def read_order(request: HttpRequest) -> tuple[str, int]:
    """Item and quantity of a new order."""
    body = _json_object(request)
    item, quantity = body.get("item"), body.get("quantity")
    if not _is_text(item, LONGEST_ITEM):
        raise Problem(400, f"item must be a string of 1 to {LONGEST_ITEM} characters")
    # A JSON `true` is an int to Python.
    if type(quantity) is not int or not 1 <= quantity <= MOST_PIECES:
        raise Problem(400, f"quantity must be a whole number from 1 to {MOST_PIECES}")
    return item, quantity


def read_preferences(request: HttpRequest) -> dict[str, str]:
    """Names and values of all the caller's preferences."""
    body = _json_object(request)
    if (
        len(body) > MOST_PREFERENCES
        or not all(
            _is_text(name, LONGEST_PREFERENCE_NAME) and _is_text(value, LONGEST_PREFERENCE, shortest=0)
            for name, value in body.items()
        )
        or len(to_json(body)) > PREFERENCES_BYTES
    ):
        raise Problem(
            400,
            f"preferences are at most {MOST_PREFERENCES} names (to {LONGEST_PREFERENCE_NAME} characters) with strings "
            f"(to {LONGEST_PREFERENCE}), {PREFERENCES_BYTES} bytes in all",
        )
    return body


def _json_object(request: HttpRequest) -> dict[str, Any]:
    # A form cannot send this content type, so a page of another origin cannot send it unasked.
    if request.content_type != "application/json":
        raise Problem(400, "the body must be application/json")
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise Problem(413, "the body is too large") from None
    except (ValueError, RecursionError, UnreadablePostError):
        raise Problem(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Problem(400, "the body must be a JSON object")
    return body


def _is_text(value: Any, longest: int, *, shortest: int = 1) -> bool:
    """A string that PostgreSQL can keep: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        return False
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
