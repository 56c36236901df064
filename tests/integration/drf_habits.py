"""What packages for Django REST framework do by themselves: a program that runs in a strategy's settings.

Prints one JSON object: what was done -> what came of it.
"""

import json
import sys
from typing import Any

import django
from django.conf import settings

django.setup()

from django.http import HttpRequest  # noqa: E402 - Django must be set up

from apps.shop.models import User  # noqa: E402
from apps.strategies._authenticator import authenticator  # noqa: E402

USER = 3


def main() -> None:
    """What the strategy's page says."""
    told = {
        "drf-session": of_session,
        "drf-token": of_token,
        "drf-knox": of_knox,
        "drf-simplejwt-stateless": of_simplejwt,
    }
    json.dump(told[settings.STRATEGY_NAME](), sys.stdout)


def of_session() -> dict[str, Any]:
    """No challenge, which makes DRF answer strangers 403."""
    from rest_framework.authentication import SessionAuthentication

    return {"challenge": SessionAuthentication().authenticate_header(HttpRequest())}


def of_token() -> dict[str, Any]:
    """Tokens in clear text."""
    from rest_framework.authtoken.models import Token

    return {"token in the table": Token.objects.filter(key=minted()["access_token"]).exists()}


def of_knox() -> dict[str, Any]:
    """Hashed tokens, all of a user's read at each request."""
    from knox.models import AuthToken

    read = []
    keep = AuthToken.from_db.__func__
    AuthToken.from_db = classmethod(lambda cls, *row: read.append(row) or keep(cls, *row))
    token = minted()["access_token"]
    found: dict[str, Any] = {"token in the table": AuthToken.objects.filter(digest=token).exists()}
    for more in (0, 50):
        for _ in range(more):
            AuthToken.objects.create(User.objects.get(pk=USER))
        read.clear()
        request = HttpRequest()
        request.META["HTTP_AUTHORIZATION"] = f"Token {token}"
        assert authenticator().authenticate(request)
        found[f"rows read with {more + 1} token{'s' if more else ''}"] = len(read)
    return found


def of_simplejwt() -> dict[str, Any]:
    """Refresh tokens: kept in clear text, ended without looking whether somebody else has, renewed with old claims."""
    from rest_framework_simplejwt.serializers import TokenRefreshSerializer
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
    from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

    found: dict[str, Any] = {}
    kept = OutstandingToken.objects.filter(user_id=USER).latest("pk").token
    found["token in the table"] = renewed(kept) is not None

    token = minted()["refresh_token"]
    verified = [RefreshToken(token), RefreshToken(token)]  # both before either is ended

    class Interleaved(TokenRefreshSerializer):
        token_class = staticmethod(lambda _: verified.pop())

    pairs = [Interleaved(data={"refresh": token}) for _ in range(2)]
    found["pairs for one refresh token used twice at once"] = sum(pair.is_valid() for pair in pairs)

    first, second = minted()["refresh_token"], minted()["refresh_token"]
    User.objects.filter(pk=USER).update(granted=["view_reports"])
    by_package = TokenRefreshSerializer(data={"refresh": first})
    by_package.is_valid(raise_exception=True)
    found["permissions after a grant and the package's refresh"] = AccessToken(by_package.validated_data["access"])[
        "permissions"
    ]
    found["permissions after a grant and the shop's refresh"] = AccessToken(renewed(second))["permissions"]
    return found


def minted() -> dict[str, str]:
    """What a client holds."""
    return dict(authenticator().mint(User.objects.get(pk=USER))[1])


def renewed(refresh_token: str) -> str | None:
    """The shop's access token for a refresh token."""
    request = HttpRequest()
    request._body = json.dumps({"refresh_token": refresh_token}).encode()
    caller = authenticator().renewing(request)
    answer = authenticator().renew(request, caller) if caller else None
    return str(answer[1]["access_token"]) if answer else None


if __name__ == "__main__":
    main()
