"""The bearer token of a request, and what a refused one is told (RFC 6750). No framework is needed to read a header."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest


def token_in(authorization: str) -> str:
    """The token of an Authorization header; empty where there is none. Never looked for in a query or a body."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def challenge_to(authorization: str) -> str:
    """RFC 6750, section 3: an error code only where a token was sent."""
    return 'Bearer realm="shop", error="invalid_token"' if token_in(authorization) else 'Bearer realm="shop"'


def token_answer(token: str, expires_in: int) -> dict[str, Any]:
    """What an answer gains by a new token that ends in so many seconds (RFC 6749, 5.1)."""
    return {"access_token": token, "token_type": "Bearer", "expires_in": expires_in}


def bearer_token(request: "HttpRequest") -> str:
    """The request's token; empty where there is none."""
    return token_in(request.META.get("HTTP_AUTHORIZATION", ""))


def bearer_challenge(request: "HttpRequest") -> str:
    """What a refused request is told."""
    return challenge_to(request.META.get("HTTP_AUTHORIZATION", ""))
