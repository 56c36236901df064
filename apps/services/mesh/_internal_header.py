"""The header by which the gateway tells services who the caller is, signed with a key that they share.

`payload.signature`, both in base64url: the payload is a JSON list of audience, Unix time, id, username, permissions;
the signature is HMAC-SHA-256 over the encoded payload. Whoever has the key can sign as well as verify, and whoever has
seen a header can send it again for WINDOW_S: it is not bound to one request.
"""

import base64
import binascii
import hashlib
import hmac
import json

from apps.contract.endpoints import Caller

NAME = "X-Internal-Caller"
WINDOW_S = 30  # from the gateway's signature to the last service's look at it
EARLY_S = 1  # a header may come from that far in the future: clocks differ
LONGEST = 4 * 1024  # characters


def sign(key: bytes, caller: Caller, audience: str, now: int) -> str:
    """The header's value; `now` in Unix seconds."""
    fields = [audience, now, caller.id, caller.username, list(caller.permissions)]
    payload = _encoded(json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode())
    return f"{payload}.{_signature(key, payload)}"


def verify(key: bytes, value: str, audience: str, now: float) -> Caller | None:
    """Whom a valid header names; None for anything else."""
    payload, dot, signature = value.partition(".")
    if not dot or len(value) > LONGEST or not value.isascii():
        return None
    if not hmac.compare_digest(signature, _signature(key, payload)):
        return None
    try:
        fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    match fields:
        case [str(meant), int(issued), int(user_id), str(username), list(permissions)]:
            timely = -EARLY_S <= now - issued <= WINDOW_S
            if meant == audience and timely and all(isinstance(each, str) for each in permissions):
                return Caller(user_id, username, tuple(permissions))
    return None


def _signature(key: bytes, payload: str) -> str:
    return _encoded(hmac.digest(key, payload.encode(), hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
