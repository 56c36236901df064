"""Reading a request's body, JSON or a form; what it may not be is a 400 or 413 problem."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from apps.contract.bodies import BodyError, check_media_type, login_of, object_of, order_of, preferences_of
from apps.shop.problems import Problem

Meaning = TypeVar("Meaning")
FORM = "application/x-www-form-urlencoded"


def read_login(request: HttpRequest) -> tuple[str, str]:
    """Username and password."""
    return _read(request, login_of)


def read_order(request: HttpRequest) -> tuple[str, int]:
    """Item and quantity of a new order."""
    return _read(request, order_of)


def read_preferences(request: HttpRequest) -> dict[str, str]:
    """Names and values of all the caller's preferences."""
    return _read(request, preferences_of)


def form_fields(request: HttpRequest) -> dict[str, str]:
    """The fields of a posted form, the last of each name. Text only: no files."""
    if request.content_type != FORM:
        raise Problem(400, f"the body must be {FORM}")
    try:
        return request.POST.dict()
    except UnreadablePostError:
        raise Problem(400, "the form was cut off") from None


def _read(request: HttpRequest, meaning: Callable[[dict[str, Any]], Meaning]) -> Meaning:
    try:
        check_media_type(request.content_type)
        return meaning(object_of(request.body))
    except RequestDataTooBig:
        raise Problem(413, "the body is too large") from None
    except UnreadablePostError:
        raise Problem(400, "the body is not JSON") from None
    except BodyError as error:
        raise Problem(400, str(error)) from None
