"""The bearer token of a request, and what a refused one is told (RFC 6750)."""

from django.http import HttpRequest


def bearer_token(request: HttpRequest) -> str:
    """The token of the Authorization header; empty where there is none. Never looked for in a query or a body."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def bearer_challenge(request: HttpRequest) -> str:
    """RFC 6750, section 3: an error code only where a token was sent."""
    return 'Bearer realm="shop", error="invalid_token"' if bearer_token(request) else 'Bearer realm="shop"'
