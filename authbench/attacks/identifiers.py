"""Family `ids`: credentials that mean nothing by themselves, and lead to what the server keeps."""

import math
from collections.abc import Iterator, Sequence

from authbench.attacks.compact import parsed
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target, refused, text_of

FAMILY = "ids"
WANTED_BITS = 128  # ASVS 5.0, 7.2.3
FEWEST = 8  # identifiers, to say anything about them
TRICKS = (
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd",
    "/etc/passwd",
    "file:///etc/passwd",
    "\\..\\..\\windows\\win.ini",
    ".",
    "..",
    "...",
    "~",
    "a/../b",
    "a\0b",
    "*",
    "a*",
    "[a]",
    "' OR '1'='1",
    "1 OR 1=1",
    "\\r\\nKEYS *",
    "a\rb",
    "\u2024\u2024/\u2024\u2024/etc/passwd",
    "\udcff\udcfe",
    "\ufeff",
    "a" * 300,
    "a" * 5000,
    "-1",
    "",
    " ",
)


def tricks(target: Target) -> Iterator[Try]:
    """As names of files, rows and keys: out of the folder, into the query, too long for a name."""
    _opaque(target)
    for text in TRICKS:
        sent = f"the identifier {text[:40].encode('unicode_escape').decode()!r}" + (
            f" of {len(text)}" if len(text) > 40 else ""
        )
        yield refused(sent, target.try_text(text))


def planted(target: Target) -> Iterator[Try]:
    """A real session's file lies outside the folder of sessions: no identifier leads to it."""
    _opaque(target)
    ways = target.plant() if target.plant is not None else ()
    if not ways:
        raise NotApplicable("its sessions are no files")
    for number, way in enumerate(ways, start=1):
        yield from target.everywhere(f"way {number} out of the folder to a planted session", way)


def unguessable(target: Target) -> Iterator[Try]:
    """No two alike, and bits that vary by chance enough. What is constant in all counts nothing."""
    _opaque(target)
    texts = [text for each in target.minted if (text := text_of(each))]
    if len(texts) < FEWEST:
        raise NotApplicable(f"{len(texts)} identifiers are too few to judge")
    same = len(texts) - len(set(texts))
    yield Try(sent=f"{len(texts)} identifiers", expected="no two alike", came=f"{same} repeated", held=not same)
    bits = varying_bits(texts)
    yield Try(
        sent=f"{len(texts)} identifiers",
        expected=f"at least {WANTED_BITS} bits that vary",
        came=f"{bits:.0f} bits",
        held=bits >= WANTED_BITS,
    )


def varying_bits(texts: Sequence[str]) -> float:
    """An upper bound of the entropy: places that differ among the texts, times the bits of the alphabet seen there.

    A counter or a time varies in few places; a small alphabet has few bits.
    """
    length = min(map(len, texts))
    places = [{text[at] for text in texts} for at in range(length)]
    random = [seen for seen in places if len(seen) > min(len(texts) // 4, 4)]
    alphabet = set().union(*random) if random else set()
    return len(random) * math.log2(len(alphabet)) if len(alphabet) > 1 else 0.0


def _opaque(target: Target) -> None:
    """Raises NotApplicable where the credential says something itself."""
    text = target.text
    if not text:
        raise NotApplicable("there is no credential")
    if parsed(text) is not None or ":" in text:
        raise NotApplicable("the credential is a signed value, no identifier")


ATTACKS = (
    Attack("paths, queries and patterns", FAMILY, "ASVS 5.0, 1.2.4, 1.2.5 and 5.3.2", tricks),
    Attack("a session outside the folder", FAMILY, "ASVS 5.0, 5.3.2; CWE-22", planted),
    Attack("entropy", FAMILY, "ASVS 5.0, 7.2.3", unguessable),
)
