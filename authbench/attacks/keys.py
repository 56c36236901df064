"""Family `keys`: blank, short and guessable secrets."""

from collections.abc import Iterator

from authbench.attacks.compact import mac, part
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target

FAMILY = "keys"
SMALLEST_BYTES = 32  # RFC 7518, 3.2: a key of the hash's size or larger
# Those of tutorials and of libraries' own examples and defaults.
GUESSES = (
    b"",
    b"\0",
    b"\0" * 32,
    b"secret",
    b"your-256-bit-secret",
    b"key",
    b"password",
    b"changeme",
    b"null",
    b"None",
    b"undefined",
    b"authbench",
    b"django-insecure-",
)


def guessed(target: Target) -> Iterator[Try]:
    """HMAC with each of them."""
    token = target.jwt
    head = f"{part({**token.header, 'alg': 'HS256'})}.{token.payload}"
    for key in GUESSES:
        yield from target.everywhere(f"HS256 with the key {key!r}", mac(head, key))


def too_short(target: Target) -> Iterator[Try]:
    """A replica that is told a key one byte too short must not start."""
    if target.start is None:
        raise NotApplicable("its key is no HS256 secret that replicas are told")
    why = target.start(SMALLEST_BYTES - 1)
    named = f"{SMALLEST_BYTES - 1} bytes" in why
    yield Try(
        sent=f"a start with an HS256 secret of {SMALLEST_BYTES - 1} bytes",
        expected="no start, and a line that says why",
        came=("not started: the line names the length" if named else "not started, for another reason")
        if why
        else "started",
        held=named,
    )


ATTACKS = (
    Attack("blank and guessable secrets", FAMILY, "RFC 8725, 2.2 and 3.5; ASVS 5.0, 11.2.3", guessed),
    Attack("a secret of 31 bytes", FAMILY, "RFC 7518, 3.2; RFC 8725, 3.5", too_short),
)
