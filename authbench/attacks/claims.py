"""Family `claims`: rightly signed, and still not to be believed; or so odd that the server trips over it."""

import json
from collections.abc import Iterator
from typing import Any

from authbench.attacks.compact import Jwt, encoded, part
from authbench.attacks.forged import CONTROL, forged
from authbench.attacks.forgery import Expected, Forgery
from authbench.attacks.target import Attack

FAMILY = "claims"
MISSING, ODD, TIMES, PARTIES, TWICE = (
    "missing claims",
    "odd claims",
    "outside its time",
    "wrong audience or issuer",
    "members twice",
)
# What RFC 8725, 3.8 and 3.9 and ASVS 5.0, 9.2 have a verifier look at.
NEEDED = ("iss", "sub", "aud", "exp")
SUBJECTS = ("sub", "user_id", "username")  # what tokens of one or another package name their user by
MADE_UP = "authbench-odd"
BIG = 10**30
EARLY_S = 60  # ahead of the clock: more than passes until it is sent, and no more than a usual leeway


def lawful(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """The control: the very claims that the server issued, but for their identity."""
    yield Forgery(CONTROL, "the server's own claims", f"{part(token.header)}.{part(token.claiming())}", "accepted")


def missing(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """Without each claim in turn, without all, and with none."""
    for name in token.claims:
        claims = {key: value for key, value in token.claiming().items() if key != name}
        yield _forgery(token, MISSING, f"no {name}", claims, "refused" if name in NEEDED else "either")
    nobodys = {key: value for key, value in token.claiming().items() if key not in SUBJECTS}
    yield _forgery(token, MISSING, "no claim that names the user", nobodys)
    yield _forgery(token, MISSING, "no claims", {})
    values: tuple[Any, ...] = ([], "claims", 1, None)
    for value in values:
        yield _forgery(token, MISSING, f"{json.dumps(value)} in place of the claims", value)


def odd(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """Each claim null, of another type, negative, huge, not a number, or text that no store keeps."""
    for name, right in token.claims.items():
        for sent, value in _oddities(right):
            yield _forgery(token, ODD, f"{name} {sent}", token.claiming(**{name: value}), _expected(name, sent))


def _oddities(right: Any) -> Iterator[tuple[str, Any]]:
    yield "null", None
    yield "an object", {MADE_UP: 1}
    yield "true", True
    if isinstance(right, int):
        yield "a list", [right]
        yield "negative", -right
        yield "of 31 digits", BIG
        yield "a float of 1e308", 1e308
        yield "NaN", float("nan")
        yield "infinite", float("inf")
        yield "a string", str(right)
    else:
        yield "a list of oddities", [MADE_UP, None, 1]
        yield "a number", 1234567890
        yield "with NUL", f"{MADE_UP}\0"
        yield "half of a surrogate pair", "\ud800"
        yield "of 5,000 characters", "9" * 5000
        yield "empty", type(right)()


# A type that a standard forbids must be refused; what a verifier may convert or ignore must only not hurt.
def _expected(name: str, sent: str) -> Expected:
    if name not in NEEDED:
        return "either"
    lax = {"exp": ("of 31 digits", "a float of 1e308", "a string", "true"), "sub": ("true",)}
    return "either" if sent in lax.get(name, ()) else "refused"


def times(token: Jwt, now: int) -> Iterator[Forgery]:
    """At and around the boundary. The strategies' documented leeway is 0 s (docs/strategies)."""
    for sent, changed, expected in (
        ("exp is the present second", {"exp": now}, "refused"),
        ("exp a second ago", {"exp": now - 1}, "refused"),
        ("exp 61 s ago", {"exp": now - 61}, "refused"),
        ("exp 0", {"exp": 0}, "refused"),
        ("exp half a second ago", {"exp": now - 0.5}, "refused"),
        ("exp a second ago, as a string", {"exp": str(now - 1)}, "refused"),
        (f"nbf {EARLY_S} s ahead", {"nbf": now + EARLY_S}, "refused"),
        ("nbf in an hour", {"nbf": now + 3600}, "refused"),
        ("nbf is the present second", {"nbf": now}, "accepted"),
        # RFC 7519 has no rule for an `iat` that lies ahead.
        ("iat in an hour", {"iat": now + 3600}, "either"),
    ):
        yield _forgery(token, TIMES, sent, token.claiming(**changed), expected)  # type: ignore[arg-type]


def parties(token: Jwt, now: int) -> Iterator[Forgery]:  # noqa: ARG001
    """Somebody else's, nearly the right one, and the right one among others in place of a name."""
    for name in ("aud", "iss"):
        right = token.claims.get(name)
        if not isinstance(right, str):
            continue
        for sent, value in (
            ("another", "https://other.example"),
            ("a prefix of the right one", right[:-1]),
            ("the right one and more", f"{right}.evil.example"),
            ("in capitals", right.upper()),
            ("with a space", f"{right} "),
            ("with a slash", f"{right}/"),
            ("with NUL", f"{right}\0"),
            ("empty", ""),
            ("a wildcard", "*"),
            ("a list of others", ["https://other.example"]),
            ("an empty list", []),
            ("a list in a list", [[right]]),
            ("an object", {right: True}),
        ):
            if value != right:
                yield _forgery(token, PARTIES, f"{name} {sent}", token.claiming(**{name: value}))
    if isinstance(right := token.claims.get("aud"), str):
        # RFC 7519, 4.1.3 allows the list.
        listed = token.claiming(aud=["https://other.example", right])
        yield _forgery(token, PARTIES, "aud a list with the right one in it", listed, "either")


def twice(token: Jwt, now: int) -> Iterator[Forgery]:
    """RFC 7519, 4: members are unique; a parser that takes one and a checker that takes the other disagree."""
    claims = token.claiming()
    for name, other in (("exp", now - 3600), ("aud", "https://other.example"), ("iss", "https://other.example")):
        if name not in claims:
            continue
        for sent, first, second in (
            ("the wrong one last", claims[name], other),
            ("the wrong one first", other, claims[name]),
        ):
            body = json.dumps({key: value for key, value in claims.items() if key != name}, separators=(",", ":"))
            raw = f'{{"{name}":{json.dumps(first)},{body[1:-1]},"{name}":{json.dumps(second)}}}'
            # Python's parser takes the last, as RFC 7519 lets it; then that one decides.
            expected: Expected = "refused" if sent == "the wrong one last" else "either"
            yield Forgery(TWICE, f"{name} twice, {sent}", f"{part(token.header)}.{encoded(raw.encode())}", expected)
    head = json.dumps(dict(token.header), separators=(",", ":"))
    raw = f'{head[:-1]},"alg":"none"}}'
    yield Forgery(TWICE, "alg twice, none last", f"{encoded(raw.encode())}.{part(claims)}")


def _forgery(token: Jwt, attack: str, sent: str, claims: Any, expected: Expected = "refused") -> Forgery:
    return Forgery(attack, sent, f"{part(token.header)}.{part(claims)}", expected)


ATTACKS = (
    Attack(CONTROL, FAMILY, "a lawful token passes, so that refusals mean something", forged(CONTROL)),
    Attack(TIMES, FAMILY, "RFC 7519, 4.1.4 and 4.1.5; ASVS 5.0, 9.2.1", forged(TIMES)),
    Attack(MISSING, FAMILY, "RFC 8725, 3.8 and 3.9; ASVS 5.0, 9.2", forged(MISSING)),
    Attack(ODD, FAMILY, "RFC 7519, 2 and 4.1; RFC 8725, 3.8 and 3.9", forged(ODD)),
    Attack(PARTIES, FAMILY, "RFC 8725, 3.8 and 3.9; ASVS 5.0, 9.2.3", forged(PARTIES)),
    Attack(TWICE, FAMILY, "RFC 8725, 2.6; RFC 7519, 4; RFC 7515, 5.2", forged(TWICE)),
)
FORGERIES = (lawful, missing, odd, times, parties, twice)
