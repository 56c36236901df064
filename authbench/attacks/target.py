"""What an attack is given: one strategy, credentials of it, and ways to send anything to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.contract.credentials import CSRF_COOKIE, Bearer, Cookies, Credential, PageState
from apps.contract.endpoints import ENDPOINTS, RENEWING, ROUTE_COOKIE, SAFE_METHODS, names_caller, to_json
from apps.contract.registry import Strategy
from authbench.attacks.compact import Jwt, parsed
from authbench.attacks.findings import Try
from authbench.attacks.forgery import Forged
from authbench.attacks.wire import NO_ANSWER, Headers, Request
from authbench.conformance.visitor import Answer, User

JSON = ("Content-Type", "application/json")
REFUSED = "4xx"
Send = Callable[[Request], Answer]


class NotApplicable(Exception):  # noqa: N818 - it is no error
    """The attack has nothing to attack here; the message says why."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing that an attacker tries, and where it is written that it must not work."""

    name: str
    family: str
    source: str
    carry_out: Callable[["Target"], Iterator[Try]]  # raises NotApplicable


@dataclass(frozen=True, slots=True)
class Holder:
    """A user, and what a client of his holds."""

    user: User
    credential: Credential


@dataclass(slots=True)
class Target:
    """One strategy under attack. `send` gives status 0 where no answer came."""

    strategy: Strategy
    url: str  # at the load balancer
    replica_urls: Sequence[str]  # past it
    send: Send
    victim: Holder  # replaced by what the server makes of it
    attacker: Holder  # another user, with a credential of his own
    minted: Sequence[Credential] = ()  # of many users
    others: Mapping[str, Credential] = field(default_factory=dict)  # strategy -> a credential of another strategy
    forged: Mapping[str, Sequence[Forged]] = field(default_factory=dict)  # attack -> tokens with the real key
    forged_for: str = ""  # the name of the user whom they name
    unforgeable: str = ""  # why there are none
    public_key: str = ""  # PEM; empty where the key is a secret, or none is known
    stock: Callable[[], Mapping[str, int]] | None = None  # what the stores hold: store -> entries
    plant: Callable[[], Sequence[str]] | None = (
        None  # session ids that would lead to a planted session outside the folder
    )
    start: Callable[[int], str] | None = None  # starts a replica with an HS256 secret of so many bytes: why it did not

    @property
    def text(self) -> str:
        """The victim's secret text: a token, the value of the cookie that authenticates, or the page's state."""
        return text_of(self.victim.credential)

    @property
    def jwt(self) -> Jwt:
        """The same as a JWT. Raises NotApplicable where it is none."""
        found = parsed(self.text)
        if found is None:
            raise NotApplicable("the credential is no JWT")
        return found

    def carrying(self, text: str) -> Headers:
        """The headers that carry another text in the credential's place."""
        return carried(with_text(self.victim.credential, text))

    def ask(
        self, endpoint: str, headers: Headers = (), body: Mapping[str, Any] | bytes | None = None, *, url: str = ""
    ) -> Answer:
        """One request with exactly these headers, at the load balancer unless another origin is named."""
        e = ENDPOINTS[endpoint]
        content = body if isinstance(body, bytes) else b"" if body is None else to_json(body)
        typed = () if body is None or any(name.lower() == "content-type" for name, _ in headers) else (JSON,)
        return self.send(Request(e.method, f"{url or self.url}{e.path}", (*headers, *typed), content))

    def try_text(self, text: str, *, url: str = "") -> Answer:
        """`whoami` with another text in the credential's place."""
        return self.ask("whoami", self.carrying(text), url=url)

    def genuine(self, endpoint: str, body: Mapping[str, Any] | None = None, headers: Headers = ()) -> Answer:
        """The victim's own request, as its client sends it; what comes back replaces the credential."""
        credential = self.victim.credential
        page = None if ENDPOINTS[endpoint].method in SAFE_METHODS else f"https://{self.url.partition('://')[2]}"
        if body is None and endpoint in RENEWING:
            body = credential.renewal()
        answer = self.ask(endpoint, (*credential.attach(page), *headers), body)
        self.victim = Holder(self.victim.user, credential.absorb(answer.headers, answer.body))
        return answer

    def everywhere(self, sent: str, text: str) -> Iterator[Try]:
        """The text at the load balancer and straight at every replica: each must refuse it."""
        yield refused(sent, self.try_text(text))
        for number, url in enumerate(self.replica_urls, start=1):
            yield refused(f"{sent}, straight to replica {number}", self.try_text(text, url=url))

    def names_victim(self, answer: Answer) -> bool:
        """Whether the answer is one to the victim."""
        return names_caller(self.victim.user.caller.username) in answer.body


def text_of(credential: Credential) -> str:
    """The secret text of a credential; empty where it has none."""
    if isinstance(credential, Bearer):
        return credential.access_token
    if isinstance(credential, PageState):
        return credential.state
    if isinstance(credential, Cookies):
        return dict(credential.jar).get(cookie_of(credential), "")
    return ""


def cookie_of(credential: Credential) -> str:
    """The name of the cookie that authenticates: neither the CSRF token's nor the balancer's."""
    jar = credential.jar if isinstance(credential, Cookies) else ()
    return next((name for name, _ in jar if name not in (CSRF_COOKIE, ROUTE_COOKIE)), "")


def with_text(credential: Credential, text: str) -> Credential:
    """The same kind of credential with another secret text."""
    if isinstance(credential, Cookies):
        name = cookie_of(credential)
        return Cookies(tuple((each, text if each == name else value) for each, value in credential.jar))
    return credential.altered(lambda _: text)


def carried(credential: Credential) -> Headers:
    """The headers of a request that only reads."""
    return tuple(credential.attach())


def shown(answer: Answer) -> str:
    """What came, in a few words."""
    return "no answer" if answer.status == NO_ANSWER else str(answer.status)


def refused(sent: str, answer: Answer) -> Try:
    """Held where the server said no: 4xx. Letting it in, failing over it and hanging up are none of these."""
    return Try(sent=sent, expected=REFUSED, came=shown(answer), held=400 <= answer.status < 500)


def survived(sent: str, answer: Answer) -> Try:
    """Held where the server answered and did not fail: for what standards leave to it."""
    return Try(sent=sent, expected="2xx or 4xx", came=shown(answer), held=answer.status // 100 in (2, 4))


def nobody_else(sent: str, answer: Answer, *, same_user: bool) -> Try:
    """Held where the server said no, or let in whom the credential belongs to, and did not fail."""
    held = 400 <= answer.status < 500 or (answer.status == 200 and same_user)
    came = shown(answer) + ("" if answer.status != 200 or same_user else ", and another user")
    return Try(sent=sent, expected="4xx, or the same user", came=came, held=held)
