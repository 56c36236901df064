"""What a DRF package does with odd credentials, and what the shop does: a program that runs in a strategy's settings.

Prints one JSON object: case -> [the package's own authentication class, the strategy], each "accepted", "refused" or
the name of an exception that would be a 500.
"""

import base64
import hmac
import io
import json
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

django.setup()

from rest_framework.exceptions import APIException  # noqa: E402 - Django must be set up
from rest_framework.request import Request  # noqa: E402
from rest_framework.settings import api_settings  # noqa: E402

from apps.shop.models import User  # noqa: E402
from apps.strategies._authenticator import authenticator  # noqa: E402

BIG = 10**30
GARBAGE = {
    "no header": None,
    "no token": "{scheme}",
    "two tokens": "{scheme} a b",
    "NUL": "{scheme} a\0b",
    "no UTF-8": "{scheme} \xff\xfe",
    "no Latin-1": "{scheme} €",
    "100 kB": "{scheme} " + "a" * 100_000,
    "dots": "{scheme} ..",
    "another scheme": "Basic dTpw",
}
# Anybody can send these: no key is needed.
HEADERS: Mapping[str, bytes] = {
    "no alg": b'{"typ":"JWT"}',
    "alg none": b'{"alg":"none"}',
    "alg a list": b'{"alg":[]}',
    "header a list": b"[]",
    "header nested deeply": b'{"a":' * 1500 + b"1" + b"}" * 1500,
    "kid a number": b'{"alg":"HS256","kid":1}',
}
# These need the key: claims that a package does not expect of itself.
CLAIMS: Mapping[str, Mapping[str, Any]] = {
    "user_id no number": {"user_id": "abc"},
    "user_id a list": {"user_id": [1]},
    "user_id an object": {"user_id": {"a": 1}},
    "user_id null": {"user_id": None},
    "user_id infinite": {"user_id": float("inf")},
    "user_id of 31 digits": {"user_id": BIG},
    "user_id of 5000 digits": {"user_id": "9" * 5000},
    "user_id with NUL": {"user_id": "1\0"},
    "user_id of nobody": {"user_id": "999999"},
    "user_id 1.5": {"user_id": 1.5},
    "user_id true": {"user_id": True},
    "user_id with a space": {"user_id": " 1"},
    "username a number": {"username": 1},
    "username a list": {"username": ["user00001"]},
    "username with NUL": {"username": "a\0b"},
    "username half a surrogate pair": {"username": "\ud800"},
    "permissions a string": {"permissions": "view_reports"},
    "permissions of numbers": {"permissions": [1]},
    "exp a string": {"exp": "4102444800"},
    "exp of 31 digits": {"exp": BIG},
    "exp 1e18": {"exp": 1e18},
    "exp in the year 10000": {"exp": 253_402_300_800},
    "exp null": {"exp": None},
    "jti a number": {"jti": 1},
    "jti with NUL": {"jti": "a\0b"},
    "jti of 300 characters": {"jti": "x" * 300},
    "orig_iat a string": {"orig_iat": "x"},
    "orig_iat long ago": {"orig_iat": 1},
    "aud of another strategy": {"aud": "x"},
    "iss another": {"iss": "x"},
    "a refresh token": {"token_type": "refresh"},
}
BODIES = (
    b"",
    b"{",
    b"[]",
    b'{"refresh_token":1}',
    b'{"refresh_token":null}',
    b'{"refresh_token":"\\ud800"}',
    b"[" * 9000,
    b"\xff",
)


def main() -> None:
    """One line of JSON."""
    found = {case: both(sent) for case, sent in credentials()}
    found |= {f"renewing: {case}": [said(package), said(shop)] for case, package, shop in renewals()}
    json.dump(found, sys.stdout)


def credentials() -> Iterator[tuple[str, str | None]]:
    """Authorization headers."""
    scheme, token = held()
    for case, text in GARBAGE.items():
        yield case, text and text.format(scheme=scheme)
    yield "scheme in lower case", f"{scheme.lower()} {token}"
    if "." not in token:
        return
    yield "= appended", f"{scheme} {token}="
    other_kind = signed(b'{"alg":"HS256","typ":"dpop+jwt"}', payload_of(token))
    yield "typ another", f"{scheme} {other_kind}"
    for case, header in HEADERS.items():
        yield case, f"{scheme} {signed(header, b'{}')}"
    for case, claims in odd_claims(token):
        yield case, f"{scheme} {signed_claims(claims)}"


def renewals() -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    """Tokens to renew: by the package's own serializer, and by the shop."""
    scheme, token = held()
    sent = str(authenticator().mint(User.objects.get(pk=1))[1].get("refresh_token", token))
    if "." not in sent:
        return
    for number, body in enumerate(BODIES):
        yield f"body {number}", bool, lambda body=body: renewed(f"{scheme} {token}", body, also_end=True)
    # Of each case one token for the package and one for the shop, since a token can be renewed once.
    for (case, one), (_, other) in zip(odd_claims(sent), odd_claims(sent), strict=True):
        text = signed_claims(other)
        body = json.dumps({"refresh_token": text}).encode()
        yield (
            case,
            lambda one=one: renewed_by_package(signed_claims(one)),
            lambda text=text, body=body: renewed(f"{scheme} {text}", body),
        )


def renewed_by_package(token: str) -> bool:
    """As the package's own view does it."""
    if "simplejwt" in settings.STRATEGY_NAME:
        from rest_framework_simplejwt.serializers import TokenRefreshSerializer

        return bool(TokenRefreshSerializer(data={"refresh": token}).is_valid(raise_exception=True))
    from rest_framework_jwt.serializers import RefreshAuthTokenSerializer

    return bool(RefreshAuthTokenSerializer(data={"token": token}).is_valid(raise_exception=True))


def odd_claims(token: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The claims of a good token, each time with one changed or missing."""
    good = json.loads(payload_of(token))
    for case, changed in CLAIMS.items():
        yield case, {**good, "jti": secrets.token_hex(8), **changed}
    yield "aud a list", {**good, "jti": secrets.token_hex(8), "aud": [good["aud"], "x"]}
    for name in good:
        rest = {**good, "jti": secrets.token_hex(8)}
        yield f"no {name}", {key: value for key, value in rest.items() if key != name}


def payload_of(token: str) -> bytes:
    """The JSON between the dots."""
    return base64.urlsafe_b64decode(token.split(".")[1] + "==")


def held() -> tuple[str, str]:
    """Scheme and token of the first user."""
    minted = authenticator().mint(User.objects.get(pk=1))[1]
    return str(minted.get("token_type", "Bearer")), str(minted.get("access_token", ""))


def signed_claims(claims: Mapping[str, Any]) -> str:
    """A token with the strategy's own key."""
    return signed(b'{"alg":"HS256","typ":"JWT"}', json.dumps(claims).encode())


def signed(header: bytes, payload: bytes) -> str:
    """By hand, since PyJWT would refuse some of it."""
    encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")  # noqa: E731
    head = encode(header) + b"." + encode(payload)
    return (head + b"." + encode(hmac.digest(bytes(range(32)), head, "sha256"))).decode()


def request(authorization: str | None, body: bytes = b"") -> WSGIRequest:
    """As a WSGI server hands it over."""
    environ = {
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
    }
    return WSGIRequest(environ if authorization is None else {**environ, "HTTP_AUTHORIZATION": authorization})


def both(authorization: str | None) -> list[str]:
    """What the package says, and what the strategy says."""
    kinds = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    package = lambda: Request(request(authorization), authenticators=[kind() for kind in kinds]).user  # noqa: E731
    return [
        said(lambda: package().is_authenticated),
        said(lambda: authenticator().authenticate(request(authorization))),
    ]


def renewed(authorization: str, body: bytes, *, also_end: bool = False) -> Any:
    """Who has renewed."""
    asked = request(authorization, body)
    caller = authenticator().renewing(asked)
    if also_end:
        ending = request(authorization, body)
        authenticator().authenticate(ending)
        authenticator().end(ending)
    return authenticator().renew(asked, caller) if caller else None


def said(ask: Callable[[], Any]) -> str:
    """DRF's own exceptions are its refusals."""
    try:
        return "accepted" if ask() else "refused"
    except APIException:
        return "refused"
    except Exception as error:
        # The view of simplejwt that renews turns this one into a refusal.
        return "refused" if type(error).__name__ == "TokenError" else type(error).__name__


if __name__ == "__main__":
    main()
