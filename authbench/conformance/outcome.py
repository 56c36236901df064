"""How a request ended: exactly one of four ways, judged by what the answer says and not by its status alone. Pure."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from apps.contract.endpoints import ENDPOINTS, Caller, names_caller, whoami_body
from authbench.conformance.visitor import Answer

Outcome = Literal["ok", "refused", "failed", "unknown"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "refused", "failed", "unknown")
Silence = Literal["not sent", "no whole answer"]  # what a client knows where none came
WRONG_USER = "names another user"
GIVING = ("login", "refresh")


@dataclass(frozen=True, slots=True)
class Judged:
    """`ok`: the right status, and the body names the right user. `refused`: a 401 or 403. `failed`: anything else that
    is an answer, or a request that never left. `unknown`: it was sent, and whether it was carried out is not known.
    """

    outcome: Outcome
    detail: str  # the status, or what was wrong
    order: int | None = None  # number of the order that the answer acknowledges


def judge(endpoint: str, caller: Caller, answer: Answer | Silence, item: str = "") -> Judged:
    """`caller`: who the client is; `item`: what it orders, where it does."""
    if isinstance(answer, str):
        return Judged("failed" if answer == "not sent" else "unknown", answer)
    status = str(answer.status)
    if answer.status in (401, 403):
        return Judged("refused", status)
    if answer.status != ENDPOINTS[endpoint].status:
        return Judged("failed", status)
    if not _names(endpoint, caller, answer.body):
        return Judged("failed", WRONG_USER)
    return _acknowledged(answer, item) if endpoint == "orders-create" else Judged("ok", status)


def _acknowledged(answer: Answer, item: str) -> Judged:
    order = _order(answer.body)
    if order is None or order.get("item") != item:
        return Judged("failed", "acknowledges another order")
    return Judged("ok", str(answer.status), int(order["id"]))


def gives_to(caller: Caller, body: bytes) -> bool:
    """Whether an answer that gives a credential, to a login or a renewal, begins with who the caller is."""
    return body.startswith(whoami_body(caller)[:-1])


def _names(endpoint: str, caller: Caller, body: bytes) -> bool:
    if endpoint == "whoami":
        return body == whoami_body(caller)
    return gives_to(caller, body) if endpoint in GIVING else names_caller(caller.username) in body


def _order(body: bytes) -> dict[str, Any] | None:
    try:
        order = json.loads(body)["order"]
    except (ValueError, KeyError, TypeError):
        return None
    return order if isinstance(order, dict) and isinstance(order.get("id"), int) else None
