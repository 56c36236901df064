"""Settings of djangorestframework-simplejwt that its two strategies share, so that they differ in freshness only."""

from datetime import timedelta
from typing import Any

from apps.shop.environment import number, signing_key
from apps.strategies._tokens import ISSUER, audience_of


def simple_jwt(strategy: str) -> dict[str, Any]:
    """SIMPLE_JWT: what the package's documentation recommends or, where it recommends nothing, its default.

    A key that is not Django's, and refresh tokens that are replaced and then refused. HS256 is the default.
    """
    return {
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
        "SIGNING_KEY": signing_key("AUTHBENCH_JWT_KEY"),
        "AUDIENCE": audience_of(strategy),
        "ISSUER": ISSUER,
    }
