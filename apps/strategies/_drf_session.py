"""Django's sessions as Django REST framework reads them: with a CSRF token that unsafe requests repeat in a header."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, rotate_token
from rest_framework.exceptions import PermissionDenied

from apps.contract.endpoints import Caller
from apps.shop.problems import Problem
from apps.strategies._drf import recognised
from apps.strategies._session import SessionRow

if TYPE_CHECKING:
    from apps.shop.models import User


class CsrfCookie(CsrfViewMiddleware):
    """Writes the CSRF cookie that a login has changed, and checks nothing: an APIView is exempt, DRF checks itself."""

    def process_view(self, *_: Any) -> HttpResponse | None:
        """Lets every request pass."""
        return None


class DrfSession(SessionRow):
    """Django's login and logout; who calls, and whether a request may change anything, is DRF's to say."""

    def authenticate(self, request: HttpRequest) -> Caller | None:
        """The session's user. Raises Problem (403) for an unsafe request without the CSRF token or from elsewhere."""
        try:
            return recognised(request)
        except PermissionDenied as refused:
            raise Problem(403, str(refused.detail)) from None

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """A session, and a CSRF secret as Django draws it at a login."""
        caller, held = super().mint(user)
        request = HttpRequest()
        rotate_token(request)
        return caller, {"cookies": {**held["cookies"], settings.CSRF_COOKIE_NAME: request.META["CSRF_COOKIE"]}}
