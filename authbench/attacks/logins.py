"""Family `login`: what a stranger learns by trying."""

import json
from collections.abc import Iterator
from typing import Any

from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, Target, refused
from authbench.conformance.visitor import Answer

FAMILY = "login"
# What differs between any two answers.
VARYING = frozenset({"date", "x-replica", "connection", "keep-alive"})


def enumerated(target: Target) -> Iterator[Try]:
    """A wrong password and a name that nobody has get the same answer, header by header and byte by byte."""
    known = _login(target, target.victim.user.caller.username, "not the password")
    unknown = _login(target, "nobody-of-that-name", "not the password")
    yield refused("a wrong password", known)
    yield refused("an unknown name", unknown)
    same = (known.status, known.body, _told(known)) == (unknown.status, unknown.body, _told(unknown))
    yield Try(
        sent="the two compared",
        expected="the same status, headers and body",
        came="the same" if same else f"{known.status} and {unknown.status}, or other headers, or another body",
        held=same,
    )


def odd_passwords(target: Target) -> Iterator[Try]:
    """Names and passwords of other types and of characters that a database stumbles over."""
    name = target.victim.user.caller.username
    bodies: tuple[tuple[str, Any], ...] = (
        ("a NUL in the name", {"username": "a\0b", "password": "x"}),
        ("half of a surrogate pair", {"username": "\ud800", "password": "x"}),
        ("a list for a password", {"username": name, "password": ["x"]}),
        ("an object for a password", {"username": name, "password": {"$ne": ""}}),
        ("true for a password", {"username": name, "password": True}),
        ("null for a password", {"username": name, "password": None}),
        ("an empty password", {"username": name, "password": ""}),
        ("a name of 100,000 characters", {"username": "a" * 100_000, "password": "x"}),
    )
    for sent, body in bodies:
        content = json.dumps(body).encode()
        yield refused(sent, target.ask("login", (("Content-Type", "application/json"),), content))
    for sent, content in (("nested 5,000 deep", b"[" * 5000), ("no UTF-8", b"\xff\xfe"), ("no body", b"")):
        yield refused(sent, target.ask("login", (("Content-Type", "application/json"),), content))


def _login(target: Target, username: str, password: str) -> Answer:
    return target.ask("login", (), {"username": username, "password": password})


def _told(answer: Answer) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in VARYING)


ATTACKS = (
    Attack("user enumeration", FAMILY, "ASVS 5.0, 6.3.8; CWE-204", enumerated),
    Attack("odd names and passwords", FAMILY, "ASVS 5.0, 2.2.1; CWE-20", odd_passwords),
)
