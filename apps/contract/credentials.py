"""The client half: what a client keeps after logging in, and how it sends it along.

A credential is an immutable value. `attach` gives the headers of the next request; `absorb` reads a response and gives
the credential to use from then on (a session cookie that was renewed, a token that was replaced, a logout); `renewal`
is the body that `refresh` and `logout` are sent.
No HTTP library is used here, so that Locust, httpx and a browser test can all drive it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from apps.contract.endpoints import PAGE_STATE_HEADER
from apps.contract.registry import Carrier

Headers = tuple[tuple[str, str], ...]
CSRF_COOKIE = "__Host-csrftoken"
CSRF_HEADER = "X-CSRFToken"  # Django's
NEXT_TOKEN = re.compile(r'(?:^|[\s,])next-token="([^"]+)"')


class Credential(Protocol):
    """What a client holds between requests."""

    def attach(self, page: str | None = None) -> Headers:
        """The headers that carry it; empty before login and after logout.

        `page`: for an unsafe method (RFC 9110, 9.2.1), the origin that a browser would name as the request's.
        """
        ...

    def renewal(self) -> Mapping[str, str] | None:
        """What renewing or ending the login needs besides `attach`; None for nothing."""
        ...

    def absorb(self, headers: Iterable[tuple[str, str]], body: bytes) -> "Credential":
        """The credential after a response. Unknown or malformed parts change nothing."""
        ...

    def altered(self, alter: "Alteration") -> "Credential":
        """The same kind of credential with its secret text changed: for checks that a wrong one is refused."""
        ...

    def dump(self) -> Mapping[str, Any]:
        """Plain JSON values, as `load` reads them. It is a secret: never write it to a result folder."""
        ...


class Alteration(Protocol):
    """Changes a credential's secret text (truncates it, flips a character, …)."""

    def __call__(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """The control: no credential at all."""

    def attach(self, page: str | None = None) -> Headers:  # noqa: ARG002
        return ()

    def renewal(self) -> None:
        return None

    def absorb(self, headers: Iterable[tuple[str, str]], body: bytes) -> "Nothing":  # noqa: ARG002
        return self

    def altered(self, alter: Alteration) -> "Nothing":  # noqa: ARG002
        return self

    def dump(self) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Cookies:
    """A cookie jar of one origin (RFC 6265): names and values, replaced and removed by Set-Cookie.

    Where the server has set Django's CSRF cookie, unsafe requests carry its value as a page's script sends it.
    """

    jar: tuple[tuple[str, str], ...] = ()

    def attach(self, page: str | None = None) -> Headers:
        if not self.jar:
            return ()
        headers = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.jar))]
        if page is not None and (token := dict(self.jar).get(CSRF_COOKIE)):
            headers += [(CSRF_HEADER, token), ("Origin", page)]
        return tuple(headers)

    def renewal(self) -> None:
        return None

    def absorb(self, headers: Iterable[tuple[str, str]], body: bytes) -> "Cookies":  # noqa: ARG002
        jar = dict(self.jar)
        for name, value in headers:
            if name.lower() == "set-cookie":
                _set_cookie(jar, value)
        return Cookies(tuple(jar.items()))

    def altered(self, alter: Alteration) -> "Cookies":
        return Cookies(tuple((name, alter(value)) for name, value in self.jar))

    def dump(self) -> Mapping[str, Any]:
        return {"cookies": dict(self.jar)}


@dataclass(frozen=True, slots=True)
class Bearer:
    """An access token in the Authorization header (RFC 6750), and the refresh token where there is one.

    `token_type` is the scheme it is sent under, as the login's answer names it (RFC 6749, 5.1). A token that is good
    for one request is replaced by the `next-token` of the answer's Authentication-Info (RFC 9110, 11.6.3).
    """

    access_token: str = ""
    refresh_token: str = ""
    token_type: str = "Bearer"  # noqa: S105

    def attach(self, page: str | None = None) -> Headers:  # noqa: ARG002
        return (("Authorization", f"{self.token_type} {self.access_token}"),) if self.access_token else ()

    def renewal(self) -> Mapping[str, str] | None:
        return {"refresh_token": self.refresh_token} if self.refresh_token else None

    def absorb(self, headers: Iterable[tuple[str, str]], body: bytes) -> "Bearer":
        answer = _json_object(body)
        following = next((found[1] for name, value in headers if (found := _next_token(name, value))), None)
        return Bearer(
            following or str(answer.get("access_token", self.access_token)),
            str(answer.get("refresh_token", self.refresh_token)),
            str(answer.get("token_type", self.token_type)),
        )

    def altered(self, alter: Alteration) -> "Bearer":
        return Bearer(alter(self.access_token), self.refresh_token, self.token_type)

    def dump(self) -> Mapping[str, Any]:
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "token_type": self.token_type,
        }


@dataclass(frozen=True, slots=True)
class PageState:
    """Signed state that travels in the page: out in the body's `state`, back in a header."""

    state: str = ""

    def attach(self, page: str | None = None) -> Headers:  # noqa: ARG002
        return ((PAGE_STATE_HEADER, self.state),) if self.state else ()

    def renewal(self) -> None:
        return None

    def absorb(self, headers: Iterable[tuple[str, str]], body: bytes) -> "PageState":  # noqa: ARG002
        return PageState(str(_json_object(body).get("state", self.state)))

    def altered(self, alter: Alteration) -> "PageState":
        return PageState(alter(self.state))

    def dump(self) -> Mapping[str, Any]:
        return {"state": self.state}


_KINDS: Mapping[Carrier, type[Nothing | Cookies | Bearer | PageState]] = {
    "none": Nothing,
    "cookie": Cookies,
    "bearer": Bearer,
    "page": PageState,
}


def anonymous(carrier: Carrier) -> Credential:
    """The credential of a client that has not logged in."""
    return _KINDS[carrier]()


def load(carrier: Carrier, dumped: Mapping[str, Any]) -> Credential:
    """The credential that `dump` wrote down."""
    if carrier == "cookie":
        return Cookies(tuple(dumped["cookies"].items()))
    return _KINDS[carrier](**dumped)


def wire_bytes(credential: Credential) -> int:
    """Bytes that the credential adds to every request: names, separators and line ends included."""
    return sum(len(f"{name}: {value}\r\n".encode()) for name, value in credential.attach())


def _set_cookie(jar: dict[str, str], header: str) -> None:
    try:
        parsed = SimpleCookie(header)
    except CookieError:
        return
    for name, morsel in parsed.items():
        if morsel["max-age"] == "0" or morsel["expires"].startswith("Thu, 01 Jan 1970"):
            jar.pop(name, None)
        else:
            jar[name] = morsel.coded_value


def _next_token(name: str, value: str) -> re.Match[str] | None:
    return NEXT_TOKEN.search(value) if name.lower() == "authentication-info" else None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
