"""What a credential says to whoever holds it and knows no key: encodings are undone, nothing is deciphered."""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from authbench.experiments.reading.measures import FACTS

# A JWT's parts end in dots (RFC 7515, 7.1), Django's signed values in colons.
_PARTS = re.compile(r"[A-Za-z0-9_-]{8,}")


def facts_readable(texts: Iterable[str], caller: Mapping[str, Any]) -> int:
    """How many of the caller's facts stand in these texts, as JSON in base64url, deflated or not."""
    said = [value for text in texts for part in _PARTS.findall(text) for value in _values(_decoded(part))]
    return sum(any(_same(value, caller[fact]) for value in said) for fact in FACTS)


def _same(value: object, fact: object) -> bool:
    # An id may stand there as a string (`sub`, RFC 7519): the same number, and not the 1 that is also `True`.
    if isinstance(value, bool | float):
        return False
    return value == fact or (isinstance(fact, int) and value == str(fact))


def _decoded(part: str) -> object:
    """The JSON in it; None where there is none."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return None
    for read in (bytes, zlib.decompress):
        try:
            return json.loads(read(data))
        except (ValueError, zlib.error):
            continue
    return None


def _values(found: object) -> Iterator[object]:
    """Every value in it, containers included."""
    yield found
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from _values(each)
