"""Middleware for strategies whose credential goes out in a header of the answer, whatever that answer is."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.strategies._authenticator import authenticator

Handler = Callable[[HttpRequest], HttpResponse]


def finishing(handle: Handler) -> Handler:
    """Lets the authenticator have the last word: its method `finish(request, response)` sets headers or cookies.

    Errors are answers too: Django has made a response of every exception before it comes by here.
    """
    finish = authenticator().finish

    def handled(request: HttpRequest) -> HttpResponse:
        response = handle(request)
        finish(request, response)
        return response

    return handled
