"""What every strategy must do, one function a promise of the endpoint contract.

A check yields one line a broken promise and nothing when it is kept. It sees the strategy only through the load
balancer, asks again until each replica has answered, and knows no strategy by name: what differs between them
(carrier, revocable or not, counts) is read from their declarations.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.contract.credentials import Credential
from apps.contract.endpoints import ENDPOINTS, Caller, to_json, whoami_body
from apps.contract.registry import Strategy
from authbench.conformance.visitor import Answer, User, Visitor

# Round robin reaches each of R replicas within R requests; other traffic may take turns, so ask a few more times.
TURNS_PER_REPLICA = 6
ORDER = {"item": "authbench check", "quantity": 2}
REQUEST_BODIES: Mapping[str, Mapping[str, Any]] = {"orders-create": ORDER, "preferences": {"theme": "dark"}}
TOKEN_MEMBERS = frozenset({"access_token", "token_type", "expires_in", "refresh_token", "state"})


@dataclass(frozen=True, slots=True)
class Subject:
    """A strategy under test: an anonymous client of it, its users, and how many replicas stand behind it."""

    anonymous: Visitor
    customer: User  # may not view reports
    analyst: User  # may
    customer_credential: Credential
    analyst_credential: Credential
    spare: User  # whose session may be ended: nobody sends load with it
    spare_credential: Credential
    replicas: int
    stored_password: str = ""  # the customer's, as the database keeps it; empty: nobody has looked
    clients: dict[User, Visitor] = field(default_factory=dict)

    @property
    def strategy(self) -> Strategy:
        """The declaration."""
        return self.anonymous.strategy

    @property
    def keeps_state(self) -> bool:
        """False for the control, which knows no login."""
        return self.strategy.carrier != "none"

    def visitor(self, user: User) -> Visitor:
        """The client that was given that user's minted credential, with what the server has made of it since."""
        minted = {
            self.customer: self.customer_credential,
            self.analyst: self.analyst_credential,
            self.spare: self.spare_credential,
        }
        if user not in self.clients:
            self.clients[user] = self.anonymous.as_bearer_of(minted[user])
        return self.clients[user]


Check = Callable[[Subject], Iterator[str]]


def on_every_replica(subject: Subject, ask: Callable[[], Answer]) -> dict[str, Answer]:
    """Asks until each replica has answered once, or the turns are used up: the first answer of each."""
    answers: dict[str, Answer] = {}
    for _ in range(subject.replicas * TURNS_PER_REPLICA):
        answer = ask()
        answers.setdefault(answer.replica, answer)
        if len(answers) == subject.replicas:
            break
    return answers


def reaches_every_replica(subject: Subject) -> Iterator[str]:
    """The control endpoint answers on every replica, each naming itself."""
    answers = on_every_replica(subject, lambda: subject.anonymous.call("public"))
    if len(answers) != subject.replicas or "" in answers:
        yield f"{len(answers)} of {subject.replicas} replicas answered ({', '.join(sorted(answers)) or 'none'})"
    for replica, answer in answers.items():
        if answer.status != 200:
            yield f"GET /api/public on {replica}: {answer.status}, not 200"


def says_who_calls(subject: Subject) -> Iterator[str]:
    """`whoami` is the contract's body to the byte, on every replica, and is not to be stored."""
    for user in (subject.customer, subject.analyst) if subject.keeps_state else (subject.customer,):
        visitor = subject.visitor(user)
        for replica, answer in on_every_replica(subject, lambda v=visitor: v.call("whoami")).items():  # type: ignore[misc]
            if answer.status != 200 or answer.body != whoami_body(user.caller):
                yield f"whoami of {user.caller.username} on {replica}: {answer.status} {_short(answer.body)}"
            elif "no-store" not in answer.header("Cache-Control"):
                yield f"whoami on {replica}: Cache-Control {answer.header('Cache-Control')!r} lacks no-store"


def logs_in(subject: Subject) -> Iterator[str]:
    """A right password gives a credential that works; a wrong one and a malformed request give none."""
    visitor = subject.anonymous.as_bearer_of(subject.anonymous.credential)
    answer = visitor.log_in(subject.customer)
    if answer.status != 200 or _without_tokens(answer.body) != whoami_body(subject.customer.caller):
        yield f"login: {answer.status} {_short(answer.body)}, not 200 with the body of whoami"
        return
    if not subject.keeps_state:
        return
    if not visitor.credential.attach():
        yield "login gave no credential"
    if (who := visitor.call("whoami")).body != whoami_body(subject.customer.caller):
        yield f"whoami after login: {who.status} {_short(who.body)}"
    for what, body, status in (
        ("a wrong password", {"username": subject.customer.caller.username, "password": "not it"}, 401),
        ("no password", {"username": subject.customer.caller.username}, 400),
    ):
        intruder = subject.anonymous.as_bearer_of(subject.anonymous.credential)
        refused = intruder.call("login", body)
        if refused.status != status or not refused.is_problem or intruder.credential.attach():
            yield f"login with {what}: {_shown(refused)}, not {status} with a problem document and no credential"


def refuses_strangers(subject: Subject) -> Iterator[str]:
    """Every authenticated endpoint answers 401 without a credential."""
    if not subject.keeps_state:
        return
    for name, endpoint in ENDPOINTS.items():
        if endpoint.authenticated:
            answer = subject.anonymous.as_bearer_of(subject.anonymous.credential).call(name, REQUEST_BODIES.get(name))
            if answer.status != 401 or not answer.is_problem:
                yield f"{endpoint.method} {endpoint.path} without a credential: {_shown(answer)}, not a 401 problem"


def refuses_forgeries(subject: Subject) -> Iterator[str]:
    """A truncated, a tampered and a foreign credential get 401 on every replica."""
    if not subject.keeps_state:
        return
    for what, alter in (("truncated", truncated), ("tampered", tampered), ("foreign", foreign)):
        forged = subject.customer_credential.altered(alter)
        ask = lambda f=forged: subject.anonymous.as_bearer_of(f).call("whoami")  # noqa: E731
        for replica, answer in on_every_replica(subject, ask).items():
            if answer.status != 401 or not answer.is_problem:
                yield f"a {what} credential on {replica}: {_shown(answer)}, not a 401 problem"


def guards_reports(subject: Subject) -> Iterator[str]:
    """`view_reports` decides: 403 without it, 200 with it, on every replica."""
    customer = subject.visitor(subject.customer)
    for replica, answer in on_every_replica(subject, lambda: customer.call("reports-sales")).items():
        if answer.status != 403 or not answer.is_problem:
            yield f"reports without the permission on {replica}: {_shown(answer)}, not a 403 problem"
    if not subject.keeps_state:
        return
    analyst = subject.visitor(subject.analyst)
    for replica, answer in on_every_replica(subject, lambda: analyst.call("reports-sales")).items():
        if answer.status != 200:
            yield f"reports with the permission on {replica}: {_shown(answer)}, not 200"


def reads_and_writes_orders(subject: Subject) -> Iterator[str]:
    """An order written on one replica is listed first on every replica; a malformed one is a 400."""
    visitor = subject.visitor(subject.customer)
    created = visitor.call("orders-create", ORDER)
    if created.status != 201:
        yield f"POST /api/orders: {_shown(created)}, not 201"
        return
    order = json.loads(created.body)["order"]
    for replica, answer in on_every_replica(subject, lambda: visitor.call("orders")).items():
        listed = json.loads(answer.body).get("orders", []) if answer.status == 200 else []
        if not 0 < len(listed) <= 20 or listed[0] != order:
            yield f"orders on {replica} after a new one: {_shown(answer)}; the new order is not first of at most 20"
    malformed = visitor.call("orders-create", {"item": "", "quantity": -1})
    if malformed.status != 400 or not malformed.is_problem:
        yield f"POST /api/orders with nonsense: {_shown(malformed)}, not a 400 problem"


def shares_preferences(subject: Subject) -> Iterator[str]:
    """A preference changed through one replica is read on every other."""
    if not subject.keeps_state:
        return
    visitor = subject.visitor(subject.customer)
    wanted = {"theme": f"theme-{secrets.token_hex(4)}"}
    changed = visitor.call("preferences", wanted)
    if changed.status != 200:
        yield f"PUT /api/preferences: {_shown(changed)}, not 200"
        return
    for replica, answer in on_every_replica(subject, lambda: visitor.call("whoami", query="?preferences=1")).items():
        if answer.status != 200 or json.loads(answer.body).get("preferences") != wanted:
            yield f"preference written on {changed.replica}, read on {replica}: {_shown(answer)}"


def renews_and_ends(subject: Subject) -> Iterator[str]:
    """After a refresh the caller is still known; after a logout the old credential does what was declared."""
    if not subject.keeps_state:
        return
    visitor = subject.visitor(subject.spare)
    renewed = visitor.call("refresh")
    if renewed.status != 200 or visitor.call("whoami").body != whoami_body(subject.spare.caller):
        yield f"refresh: {_shown(renewed)}, or whoami after it is not the caller's"
    before = visitor.credential
    ended = visitor.call("logout")
    if ended.status != 200:
        yield f"logout: {_shown(ended)}, not 200"
    if subject.strategy.revoked_within_s:
        return  # how long it really takes is measured: `authbench verify --security`
    wanted = 401 if subject.strategy.revocable else 200
    ask = lambda: subject.anonymous.as_bearer_of(before).call("whoami")  # noqa: E731
    for replica, answer in on_every_replica(subject, ask).items():
        if answer.status != wanted:
            declared = "revocable" if subject.strategy.revocable else "not revocable"
            yield f"the credential after logout on {replica}: {_shown(answer)}, but it is declared {declared}"


BEHAVIOUR: Sequence[Check] = (
    reaches_every_replica,
    says_who_calls,
    logs_in,
    refuses_strangers,
    refuses_forgeries,
    guards_reports,
    reads_and_writes_orders,
    shares_preferences,
    renews_and_ends,
)


def truncated(text: str) -> str:
    """The credential without its last quarter."""
    return text[: len(text) * 3 // 4]


def tampered(text: str) -> str:
    """The credential with one character in its middle replaced by another of the same alphabet."""
    return changed_at(text, len(text) // 2)


def changed_at(text: str, place: int) -> str:
    """The text with another letter in that place, negative from its end, or in the next place before it that has one.

    A place that the text does not have stands for its middle.
    """
    at = place if place >= 0 else len(text) + place
    if not 0 <= at < len(text):
        at = len(text) // 2
    while at and not text[at].isalnum():
        at -= 1
    return text[:at] + ("b" if text[at] == "a" else "a") + text[at + 1 :]


def foreign(text: str) -> str:
    """A credential of the same shape that this server never issued.

    A JWT keeps header and claims and is signed with somebody else's key; a signed value keeps its payload under another
    signature; a session key becomes another random key.
    """
    head, dot, signature = text.rpartition(".")
    if dot and head.count(".") == 1:
        mac = hmac.new(secrets.token_bytes(32), head.encode(), hashlib.sha256).digest()
        return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    head, colon, signature = text.rpartition(":")
    return head + colon + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in signature)


def caller_of(row: dict[str, object]) -> Caller:
    """The caller that a minted row belongs to."""
    permissions = row["permissions"]
    assert isinstance(permissions, list)
    return Caller(int(str(row["id"])), str(row["username"]), tuple(permissions))


def _without_tokens(body: bytes) -> bytes:
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    return to_json({k: v for k, v in answer.items() if k not in TOKEN_MEMBERS}) if isinstance(answer, dict) else body


def _shown(answer: Answer) -> str:
    return f"{answer.status} {answer.header('Content-Type')} {_short(answer.body)}"


def _short(body: bytes) -> str:
    text = json.dumps(_masked(body))
    return text if len(text) <= 120 else text[:117] + "..."


def _masked(body: bytes) -> object:
    """The body for a message: tokens are secrets and are never shown."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body[:100].decode("ascii", "replace")
    if isinstance(answer, dict):
        return {key: "…" if key in TOKEN_MEMBERS else value for key, value in answer.items()}
    return answer
