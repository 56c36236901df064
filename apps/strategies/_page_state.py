"""The state that a page carries: signed JSON of a known format that ends, and belongs to one strategy."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.core import signing

from apps.contract.endpoints import Caller
from apps.strategies._payload import MEMBER, payload

State = Mapping[str, Any]
FORMAT = 1  # of what `stated` writes; a state of another format is refused
LONGEST_STATE = 8 * 1024  # characters; looked at before anything is verified
MEMBERS = frozenset({"format", "id", "username", "permissions", "login", "end", "preferences"})
LADEN = MEMBERS | {MEMBER}  # with data of the application's


def stated(caller: Caller, *, login: int, end: int, preferences: Mapping[str, str]) -> State:
    """What a state says. Times are Unix seconds: when the password was checked, and when the state ends."""
    return {
        "format": FORMAT,
        "id": caller.id,
        "username": caller.username,
        "permissions": list(caller.permissions),
        "login": login,
        "end": end,
        "preferences": dict(preferences),
        **payload(caller.id),
    }


def caller_of(state: State) -> Caller:
    """Whom a verified state names."""
    return Caller(state["id"], state["username"], tuple(state["permissions"]))


class Seal:
    """Signs and verifies the states of one strategy (HMAC-SHA-256); no other strategy's signature is worth anything."""

    def __init__(self, strategy: str, key: str, former_keys: Sequence[str] = ()) -> None:
        self._signer = signing.Signer(key=key, salt=f"{__name__}:{strategy}", fallback_keys=list(former_keys))

    def issue(self, state: State) -> str:
        """The signed state, in characters that a header takes; compressed where that helps, as session cookies are."""
        return self._signer.sign_object(dict(state), compress=True)

    def verify(self, text: str, now: float) -> State | None:
        """What a valid state says at Unix time `now`; None for anything else, whatever is wrong with it."""
        if not text or len(text) > LONGEST_STATE:
            return None
        try:
            state = self._signer.unsign_object(text)
        except (signing.BadSignature, ValueError, RecursionError, zlib.error):
            return None
        return state if _well_formed(state) and now < state["end"] else None


def _well_formed(state: Any) -> bool:
    """Another format, or a member of another type, though validly signed, must not reach a view."""
    return (
        isinstance(state, dict)
        and (state.keys() == MEMBERS or (state.keys() == LADEN and isinstance(state[MEMBER], str)))
        and all(type(state[name]) is int for name in ("format", "id", "login", "end"))
        and state["format"] == FORMAT
        and 0 < state["id"] < 2**63  # PostgreSQL's bigint
        and isinstance(state["permissions"], list)
        and isinstance(state["preferences"], dict)
        and all(
            isinstance(text, str) for text in (state["username"], *state["permissions"], *state["preferences"].values())
        )
    )
