"""Family `proxies`: headers that only a proxy may write, methods that only a framework reads, and framing that two read
differently."""

import base64
import json
from collections.abc import Iterator

from apps.contract.endpoints import EDGE_CALLER_HEADER, EDGE_SECRET_HEADER
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target, nobody_else, refused, shown
from authbench.attacks.wire import Headers, Request

FAMILY = "proxies"
IDENTITIES = (
    "X-Remote-User",
    "Remote-User",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Authenticated-User",
    "X-User",
    "X-User-Id",
    "X-WEBAUTH-USER",
    "X-Original-User",
)
FORWARDED: Headers = (
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Real-IP", "127.0.0.1"),
    ("Forwarded", 'for=127.0.0.1;proto=https;by="_internal"'),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "localhost"),
    ("X-Original-URL", "/api/public"),
    ("X-Rewrite-URL", "/api/public"),
)
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


def spoofed(target: Target) -> Iterator[Try]:
    """A stranger says that a proxy has authenticated him: at the balancer, straight at replicas, in other spellings."""
    user = target.victim.user.caller
    fields = [user.id, user.username, user.permissions, 1, 1, 4_102_444_800]
    caller = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
    alone = tuple((name, user.username) for name in IDENTITIES)
    for origin, place in (
        (target.url, ""),
        *((url, f", straight to replica {n}") for n, url in enumerate(target.replica_urls, 1)),
    ):
        yield refused(f"names of a user in {len(alone)} headers{place}", target.ask("whoami", alone, url=origin))
        yield refused(f"addresses of the inside{place}", target.ask("whoami", FORWARDED, url=origin))
        for secret in ("", "true", "nonsense", "\u00e9"):
            for separator in ("-", "_"):
                names = [name.replace("-", separator) for name in (EDGE_SECRET_HEADER, EDGE_CALLER_HEADER)]
                headers = ((names[0], secret), (names[1], caller))
                sent = f"{names[0]}: {secret!r} and a caller{place}"
                yield refused(sent, target.ask("whoami", (*headers, *target.carrying("nonsense")), url=origin))


def past_the_edge(target: Target) -> Iterator[Try]:
    """A right credential straight to a replica that believes the load balancer only."""
    if not target.strategy.edge:
        raise NotApplicable("replicas authenticate by themselves")
    for number, url in enumerate(target.replica_urls, start=1):
        yield refused(f"a right credential straight to replica {number}", target.try_text(target.text, url=url))


def smuggled(target: Target) -> Iterator[Try]:
    """Length and end told twice: the load balancer and a replica must not read two different requests."""
    inner = b"GET /api/whoami HTTP/1.1\r\nHost: x\r\n\r\n"
    for sent, headers, body in (
        (
            "Content-Length and Transfer-Encoding",
            (("Content-Length", "4"), ("Transfer-Encoding", "chunked")),
            b"0\r\n\r\n" + inner,
        ),
        ("two Content-Lengths", (("Content-Length", "0"), ("Content-Length", str(len(inner)))), inner),
        ("Content-Length with a sign", (("Content-Length", "+5"),), b"hello"),
        ("Transfer-Encoding of two words", (("Transfer-Encoding", "xchunked"),), b"0\r\n\r\n"),
        ("a space before the colon", (("Transfer-Encoding ", "chunked"),), b"0\r\n\r\n"),
        ("two Hosts", (("Host", "127.0.0.1"), ("Host", "evil.example")), b""),
    ):
        for place, origin in (("", target.url), (", straight to a replica", target.replica_urls[0])):
            if sent == "two Hosts" and place:
                continue  # the balancer writes that header anew
            answer = target.send(Request("POST", f"{origin}/api/login", headers, body))
            # RFC 9112, 6.1 has a server answer 501 to a coding that it does not know.
            held = 400 <= answer.status < 500 or answer.status == 501
            yield Try(sent=f"{sent}{place}", expected="4xx or 501", came=shown(answer), held=held)


def overridden(target: Target) -> Iterator[Try]:
    """A header or a field that names another method changes nothing: a GET stays one."""
    for header in OVERRIDES:
        answer = target.genuine("orders", None, ((header, "POST"), ("Content-Length", "0")))
        listed = answer.status == 200 and b'"orders":' in answer.body
        yield Try(sent=f"GET with {header}: POST", expected="200, the list", came=shown(answer), held=listed)
    origin = target.url
    for path in ("/api/orders?_method=POST", "/api/orders?_method=DELETE"):
        answer = target.send(Request("GET", f"{origin}{path}", tuple(target.victim.credential.attach())))
        yield nobody_else(f"GET {path}", answer, same_user=target.names_victim(answer))
        if target.strategy.one_time:
            break  # the token is used up
    for method in ("TRACE", "CONNECT", "PATCH", "DELETE", "PROPFIND", "get", "X" * 40):
        yield refused(f"{method[:12]} without a credential", target.send(Request(method, f"{origin}/api/whoami")))


ATTACKS = (
    Attack("spoofed identity", FAMILY, "ASVS 5.0, 4.1.3; CWE-290", spoofed),
    Attack("past the edge", FAMILY, "ASVS 5.0, 4.1.3 and 8.3.1", past_the_edge),
    Attack("request smuggling", FAMILY, "RFC 9112, 11.2 and 6.3; ASVS 5.0, 4.2.1", smuggled),
    Attack("method override", FAMILY, "RFC 9110, 9.1; ASVS 5.0, 4.1.4", overridden),
)
