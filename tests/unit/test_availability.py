from dataclasses import replace

import pytest

from apps.contract.registry import strategies
from authbench import availability
from authbench.errors import StackError
from authbench.progress import Silent

APISTAR = strategies()["apistar-jwt"]
PLAIN = strategies()["jwt-hs256"]


def test_what_cannot_be_built_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str, say: object) -> None:
        raise StackError(f"{name}: no network")

    monkeypatch.setattr(availability, "interpreter_of", fails)
    able, unavailable = availability.split([PLAIN, APISTAR], Silent())
    assert able == [PLAIN]
    assert unavailable == {"apistar-jwt": "apistar: no network"}


def test_looking_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "interpreter_of", None)
    monkeypatch.setattr(availability, "why_missing", lambda name: f"{name} is not built yet")
    assert availability.availability(PLAIN) is None
    assert availability.availability(APISTAR) == "apistar is not built yet"
    assert availability.availability(replace(APISTAR, environment="")) is None
