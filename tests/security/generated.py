"""Requests that schemathesis makes of the OpenAPI document, and credentials that nobody was given.

Both are the same at every run: Hypothesis derives them from this file's own code, and keeps no database of them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from apps.contract.credentials import Credential
from authbench.stack.replicas import ROOT

DOCUMENT = ROOT / "docs" / "schemas" / "openapi.json"
# A well-formed login costs a password hash, which takes a third of a second on purpose.
RIGHT = {"login": 1, "whoami": 4, "orders-create": 5, "preferences": 5, "refresh": 3, "logout": 3}
WRONG = {"login": 6, "whoami": 4, "orders-create": 8, "preferences": 8, "refresh": 4, "logout": 4}
# Characters of a field value (RFC 9110, 5.5); what is none the load balancer refuses before the shop sees it.
VALUE_CHARACTERS = st.characters(
    min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="".join(map(chr, range(127, 160)))
)
ODD_CREDENTIALS = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the document."""

    endpoint: str
    valid: bool  # whether its parameters and body are what the document asks for
    case: Case


@dataclass(frozen=True, slots=True)
class Odd:
    """A credential that nobody was given: a real one that was tampered with, or any text in its place."""

    text: str | None  # in place of the whole credential; None: tampered
    cut: float = 1.0  # which share of the real one is left
    at: float = 0.0  # where in it something else stands
    other: str = ""

    def of(self, credential: Credential) -> Credential:
        """That credential, spoilt so. Headers that go with it (a CSRF token) are spoilt alike."""
        return credential.altered(self._spoil)

    def _spoil(self, text: str) -> str:
        if self.text is not None:
            return self.text
        kept = text[: int(len(text) * self.cut)]
        place = int(len(kept) * self.at)
        return kept[:place] + self.other + kept[place + len(self.other) :]


def document() -> dict[str, Any]:
    """The committed one."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def asked(of: dict[str, Any]) -> list[Asked]:
    """Right and wrong requests to every endpoint of the document, in its order."""
    told = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    found: list[Asked] = []
    for result in openapi.from_dict(of, config=told).get_all_operations():
        operation = result.ok()
        name = str(operation.definition.raw["operationId"])
        right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        found += [Asked(name, True, case) for case in _drawn(right, RIGHT.get(name, 1))]
        if name in WRONG:  # where there is something to get wrong
            wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
            found += [Asked(name, False, case) for case in _drawn(wrong, WRONG[name])]
    return found


def odd_credentials() -> list[Odd]:
    """Some of each kind."""
    text = st.text(VALUE_CHARACTERS, max_size=300).map(str.strip)
    share = st.floats(0, 1, exclude_max=True)
    tampered = st.builds(
        Odd, st.none(), st.one_of(st.just(1.0), share), share, st.text(VALUE_CHARACTERS, min_size=1, max_size=4)
    )
    return list(_drawn(st.one_of(st.builds(Odd, text), tampered), ODD_CREDENTIALS))


def _drawn(strategy: st.SearchStrategy[Any], count: int) -> Iterator[Any]:
    found: list[Any] = []
    keep: Callable[[Any], None] = found.append

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(drawn: Any) -> None:
        keep(drawn)

    draw()
    return iter(found[:count])
