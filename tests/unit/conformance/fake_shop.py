"""A shop in a hundred lines that keeps the contract, or breaks exactly one promise of it.

In-process and without stores: it is here to show that each check of the conformance suite can fail. The suite itself
runs against the real shop in tests/integration.
"""

import itertools
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from apps.contract.endpoints import ENDPOINTS, PROBLEM_JSON, Caller, to_json, whoami_body

PASSWORD = "right"
CUSTOMER = Caller(1, "user00001", ())
ANALYST = Caller(10, "user00010", ("view_reports",))
ANALYST_2 = Caller(20, "user00020", ("view_reports",))
REPLICAS = 2

Answered = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Asked:
    """One request, taken apart."""

    endpoint: str
    token: str
    caller: Caller
    body: dict[str, Any]
    query: str
    replica: str


class FakeShop:
    """WSGI application with bearer tokens in memory; `defect` names the promise it breaks, None for none."""

    def __init__(self, defect: str | None = None) -> None:
        self.defect = defect
        self.sql = 0
        self._turn = itertools.count()
        self._callers: dict[str, Caller] = {}
        self._orders: list[dict[str, Any]] = []
        self._preferences: dict[tuple[str, str], dict[str, str]] = {}

    def mint(self, caller: Caller) -> str:
        """A token of 32 characters."""
        token = secrets.token_hex(16)
        self._callers[token] = caller
        return token

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        replica = f"fake-{next(self._turn) % (1 if self.defect == 'one replica' else REPLICAS)}"
        status, answer = self._answer(environ, replica)
        problem = status >= 400 and self.defect != "no problem document"
        headers = [("Content-Type", PROBLEM_JSON if problem else "application/json"), ("X-Replica", replica)]
        if self.defect != "storable":
            headers.append(("Cache-Control", "no-store"))
        start(f"{status} -", headers)
        return [to_json(answer)]

    def _answer(self, environ: dict[str, Any], replica: str) -> Answered:
        route = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        name = next(e.name for e in ENDPOINTS.values() if (e.method, e.path) == route)
        sent = environ["wsgi.input"].read()
        body = json.loads(sent) if sent else {}
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        caller = self._callers.get(token)
        if name == "public":
            return 200, {"public": True}
        if name == "login":
            return self._login(body)
        if caller is None and self._lets_in(name, token):
            caller = CUSTOMER
        if caller is None:
            return 401, {"title": "who?"}
        self.sql += 2 if self.defect == "reads twice" and name == "whoami" else 1
        handler = getattr(self, name.replace("-", "_"))
        answered: Answered = handler(Asked(name, token, caller, body, environ["QUERY_STRING"], replica))
        return answered

    def _lets_in(self, name: str, token: str) -> bool:
        if self.defect == "accepts forgeries":
            return bool(token)
        return self.defect == "strangers read orders" and name == "orders"

    def _login(self, body: dict[str, Any]) -> Answered:
        if "password" not in body:
            return 400, {"title": "what?"}
        if body["password"] != PASSWORD and self.defect != "any password":
            return 401, {"title": "who?"}
        caller = ANALYST if body["username"] == ANALYST.username else CUSTOMER
        return 200, json.loads(whoami_body(caller)) | {"access_token": self.mint(caller), "token_type": "Bearer"}

    def whoami(self, asked: Asked) -> Answered:
        caller = asked.caller
        if self.defect == "wrong user on one replica" and asked.replica == "fake-1":
            caller = Caller(2, "user00002", ())
        answer = json.loads(whoami_body(caller))
        if "preferences=1" in asked.query:
            where = asked.replica if self.defect == "preferences stay" else ""
            answer["preferences"] = self._preferences.get((asked.token, where), {})
        return 200, answer

    def orders(self, asked: Asked) -> Answered:
        own = [order for order in self._orders if order["of"] == asked.caller.username]
        return 200, {"username": asked.caller.username, "orders": own[:20]}

    def orders_create(self, asked: Asked) -> Answered:
        if not asked.body.get("item") and self.defect != "takes nonsense":
            return 400, {"title": "what?"}
        order = {"id": len(self._orders) + 1, "of": asked.caller.username, **asked.body}
        if self.defect != "loses orders":
            self._orders.insert(0, order)
        return 201, {"username": asked.caller.username, "order": order}

    def reports_sales(self, asked: Asked) -> Answered:
        if not asked.caller.permissions and self.defect != "reports for all":
            return 403, {"title": "no"}
        return 200, {"username": asked.caller.username, "orders": len(self._orders)}

    def preferences(self, asked: Asked) -> Answered:
        where = asked.replica if self.defect == "preferences stay" else ""
        self._preferences[asked.token, where] = asked.body
        return 200, {"username": asked.caller.username, "preferences": asked.body}

    def refresh(self, asked: Asked) -> Answered:
        token = "gone" if self.defect == "refresh breaks" else self.mint(asked.caller)
        return 200, {"username": asked.caller.username, "access_token": token}

    def logout(self, asked: Asked) -> Answered:
        if self.defect != "logout forgets nothing":
            self._callers.pop(asked.token, None)
        return 200, {"username": asked.caller.username, "logged_out": True}
