"""What everybody who issues, reads or passes on a token of the shop has to agree on."""

import uuid

TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068; no other kind of token passes for an access token (RFC 8725, section 3.11)
ISSUER = "authbench-shop"
LONGEST_LOGIN_S = 12 * 3600  # renewing goes on no longer than this after the password was checked


def audience_of(strategy: str) -> str:
    """Whom a strategy's tokens are for, so that no other takes them (RFC 8725, 3.9); as long for one as for another."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"authbench:{strategy}"))
