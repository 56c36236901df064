"""What a token exchange is asked with, and what it may give (RFC 8693); known to both of its sides."""

from apps.contract.endpoints import Caller

TOKEN_PATH = "/token"  # noqa: S105 - an address
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - names of the protocol, no secrets
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
LIFETIME_S = 60  # of the narrower token: a request and its retries, not a login


def narrowed(caller: Caller, scope: str) -> Caller:
    """The same caller with those permissions only that the scope names."""
    wanted = scope.split()
    return Caller(caller.id, caller.username, tuple(each for each in caller.permissions if each in wanted))


def ends(now: int, subject_ends: int) -> int:
    """When the narrower token ends: soon, and never after the one that it was given for. Unix seconds."""
    return min(now + LIFETIME_S, subject_ends)
