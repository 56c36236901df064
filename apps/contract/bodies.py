"""What the JSON body of a request may be: the same rules in every framework that serves the contract."""

import json
from collections.abc import Mapping
from typing import Any

from apps.contract.endpoints import to_json

LARGEST_BODY = 16 * 1024  # bytes; the largest lawful body is a tenth of it
LONGEST_USERNAME = 150  # Django's
LONGEST_PASSWORD = 1024
LONGEST_ITEM = 100
MOST_PIECES = 1000
# Preferences travel in cookies and tokens too, and those have room for 4 and 8 KiB.
MOST_PREFERENCES = 10
LONGEST_PREFERENCE_NAME = 32
LONGEST_PREFERENCE = 64
PREFERENCES_BYTES = 1024


class BodyError(ValueError):
    """The body is not what the endpoint takes; the message is the problem document's detail."""


def check_media_type(media_type: str) -> None:
    """Raises BodyError where the content type, without its parameters, is not JSON's.

    A form cannot send it, so a page of another origin cannot send it unasked.
    """
    if media_type != "application/json":
        raise BodyError("the body must be application/json")


def object_of(content: bytes) -> dict[str, Any]:
    """The JSON object that a body holds. Raises BodyError."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise BodyError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BodyError("the body must be a JSON object")
    return body


def login_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """Username and password. Raises BodyError."""
    username, password = body.get("username"), body.get("password")
    if not _is_text(username, LONGEST_USERNAME) or not _is_text(password, LONGEST_PASSWORD):
        raise BodyError("username and password must be non-empty strings")
    return str(username), str(password)


def order_of(body: Mapping[str, Any]) -> tuple[str, int]:
    """Item and quantity of a new order. Raises BodyError."""
    item, quantity = body.get("item"), body.get("quantity")
    if not _is_text(item, LONGEST_ITEM):
        raise BodyError(f"item must be a string of 1 to {LONGEST_ITEM} characters")
    # A JSON `true` is an int to Python.
    if type(quantity) is not int or not 1 <= quantity <= MOST_PIECES:
        raise BodyError(f"quantity must be a whole number from 1 to {MOST_PIECES}")
    return str(item), quantity


def preferences_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Names and values of all the caller's preferences. Raises BodyError."""
    if (
        len(body) > MOST_PREFERENCES
        or not all(
            _is_text(name, LONGEST_PREFERENCE_NAME) and _is_text(value, LONGEST_PREFERENCE, shortest=0)
            for name, value in body.items()
        )
        or len(to_json(body)) > PREFERENCES_BYTES
    ):
        raise BodyError(
            f"preferences are at most {MOST_PREFERENCES} names (to {LONGEST_PREFERENCE_NAME} characters) with strings "
            f"(to {LONGEST_PREFERENCE}), {PREFERENCES_BYTES} bytes in all"
        )
    return dict(body)


def _is_text(value: Any, longest: int, *, shortest: int = 1) -> bool:
    """A string that PostgreSQL can keep: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        return False
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
