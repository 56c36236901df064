"""One user's client, as a browser or an app is: it keeps what answers tell it to keep, and forgets what they delete."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from apps.contract.credentials import Cookies, Credential, load
from apps.contract.endpoints import ENDPOINTS, ROUTE_COOKIE, SAFE_METHODS, Caller, to_json
from apps.contract.registry import Strategy
from authbench.conformance.checks import caller_of
from authbench.conformance.outcome import Judged
from authbench.conformance.visitor import Answer

Headers = tuple[tuple[str, str], ...]
JSON = ("Content-Type", "application/json")
NO_COOKIE = frozenset({ROUTE_COOKIE})  # names a replica, and is no login


@dataclass(frozen=True, slots=True)
class Client:
    """Every call gives the client as it is afterwards."""

    strategy: Strategy
    caller: Caller  # who the server should say she is
    given: Credential  # her login as it began
    credential: Credential  # as it is now
    deleted: bool = False  # an answer has taken a cookie of the login away
    told_out: bool = False  # an answer has refused her, or taken her login away
    returned: bool = False  # she has logged in again since
    kept: str = ""  # the preference that an answer last said was kept
    asked: int = 0  # preferences that she has asked to keep
    told: int = 0  # of them, those that an answer said were kept

    @classmethod
    def of(cls, strategy: Strategy, row: Mapping[str, Any]) -> "Client":
        """The client of a minted user."""
        credential = load(strategy.carrier, row["credential"])
        return cls(strategy, caller_of(dict(row)), credential, credential)

    def headers(self, endpoint: str, identity: str, page: str) -> Headers:
        """Of the next request; `page`: the origin that a browser names where the method is unsafe."""
        unsafe = ENDPOINTS[endpoint].method not in SAFE_METHODS
        carried = self.credential.attach(page if unsafe else None)
        return (*carried, ("X-Request-ID", identity), *((JSON,) if unsafe else ()))

    def body(self, endpoint: str, item: str, password: str = "") -> bytes:
        """Of that request: an order of one `item`, a preference for it, a login, or nothing."""
        if endpoint == "orders-create":
            return to_json({"item": item, "quantity": 1})
        if endpoint == "preferences":
            return to_json({"seen": item})
        if endpoint == "login":
            return to_json({"username": self.caller.username, "password": password})
        return b""

    def asking(self, endpoint: str) -> "Client":
        """She, while she waits for the answer."""
        return replace(self, asked=self.asked + 1) if endpoint == "preferences" else self

    @property
    def knows(self) -> bool:
        """Whether she knows what is kept: one that was not answered may be carried out late, after those that were."""
        return bool(self.kept) and self.asked == self.told

    def after(self, endpoint: str, answer: Answer, judged: Judged, item: str = "") -> "Client":
        """What the answer makes of her. `item`: what she asked for."""
        credential = self.credential.absorb(answer.headers, answer.body)
        if endpoint == "login" and judged.outcome == "ok":
            return replace(self, credential=credential, told_out=False, returned=True)
        deleted = bool(_cookies(self.credential) - _cookies(credential))
        out = self.told_out or deleted or judged.outcome == "refused"
        after = replace(self, credential=credential, deleted=self.deleted or deleted, told_out=out)
        kept = endpoint == "preferences" and judged.outcome == "ok"
        return replace(after, kept=item, told=self.told + 1) if kept else after

    def with_first_login(self) -> "Client":
        """She, with the login that she had when it all began."""
        return replace(self, credential=self.given)

    def fresh(self) -> "Client":
        """She, whose login as it is now is the one to lose."""
        return replace(
            self, given=self.credential, deleted=False, told_out=False, returned=False, kept="", asked=0, told=0
        )


def _cookies(credential: Credential) -> frozenset[str]:
    jar = credential.jar if isinstance(credential, Cookies) else ()
    return frozenset(name for name, _ in jar) - NO_COOKIE
