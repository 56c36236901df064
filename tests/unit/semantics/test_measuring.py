"""The parts of the measurement that need no stack: polling, searching sizes, altering, and what counts as a failing."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from apps.contract.registry import strategies
from authbench.conformance.checks import changed_at
from authbench.scenario import SET_ASIDE
from authbench.semantics import revocation
from authbench.semantics.findings import EVENTS, Edge, Obeyed
from authbench.semantics.measurement import failings
from authbench.semantics.probands import COUNT, MANY_PERMISSIONS, permissions
from authbench.semantics.revocation import poll
from authbench.semantics.sizes import search
from authbench.semantics.theft import _places
from tests.unit.semantics.made import row


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that moves by sleeping only."""
    now = [100.0]
    stand_in = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))
    monkeypatch.setattr(revocation, "time", stand_in)
    yield now
    assert time.monotonic() is not None  # the real one is not touched


def until(clock: list[float], end: float) -> Callable[[], bool]:
    return lambda: clock[0] < end


def test_what_is_obeyed_at_once_took_no_time(clock: list[float]) -> None:
    assert poll(until(clock, 0), 100.0, 3.0, 0.05) == Obeyed(after_s=0.0, within_s=3.0)


def test_the_time_is_that_of_the_first_of_two_polls_without_an_old_answer(clock: list[float]) -> None:
    found = poll(until(clock, 101.02), 100.0, 3.0, 0.05)
    assert found.after_s == pytest.approx(1.05)  # 1.02, at the next poll


def test_what_is_never_obeyed_has_no_time(clock: list[float]) -> None:
    assert poll(lambda: True, 100.0, 3.0, 0.05) == Obeyed(after_s=None, within_s=3.0)
    assert clock[0] == pytest.approx(103.0, abs=0.051)


def test_one_replica_that_still_lets_in_starts_the_wait_anew(clock: list[float]) -> None:
    answers = iter([True, False, True, False, False])
    assert poll(lambda: next(answers), 100.0, 3.0, 0.05).after_s == pytest.approx(0.15)


@pytest.mark.parametrize(("limit", "status"), [(8190, 431), (513, 400), (65_535, None)])
def test_the_largest_size_that_passes_is_found_exactly(limit: int, status: int | None) -> None:
    edge = search(lambda size: 401 if size <= limit else status, 512, 65_536)
    assert edge == Edge(bytes=limit, status=status, tried_bytes=65_536)


def test_no_limit_is_told_as_none() -> None:
    assert search(lambda size: 200, 512, 65_536).bytes is None


def test_a_stack_that_refuses_the_smallest_is_an_error() -> None:
    with pytest.raises(ValueError, match="512 bytes was answered 502"):
        search(lambda size: 502, 512, 65_536)


@pytest.mark.parametrize("length", [1, 5, 43, 700])
def test_altered_places_spread_over_the_text_and_hold_its_last_characters(length: int) -> None:
    places = _places(length)
    assert places[-1] == -1
    assert all(-length <= place < length for place in places)
    assert len({place % length for place in places}) == len(places)


def test_a_change_changes_exactly_one_letter_or_digit() -> None:
    text = "abc.def-ghi_jkl"
    for place in range(-len(text), len(text)):
        changed = changed_at(text, place)
        assert len(changed) == len(text)
        assert [a for a, b in zip(text, changed, strict=True) if a != b] != []
        assert sum(a != b for a, b in zip(text, changed, strict=True)) == 1
        assert [c for c in changed if not c.isalnum()] == [".", "-", "_"]


def test_probands_leave_room_for_the_spare() -> None:
    assert COUNT + 1 <= SET_ASIDE


def test_permissions_are_the_same_names_every_time_and_as_many_as_asked() -> None:
    for many in MANY_PERMISSIONS:
        names = permissions(many)
        assert len(set(names)) == many
        assert names == sorted(names) == permissions(many)
        assert "view_reports" in names


NEVER = {event: Obeyed(after_s=None, within_s=3.0) for event in EVENTS}


@pytest.mark.parametrize(
    ("strategy", "changed", "said"),
    [
        ("session-db", {"altered_as_others": 1}, "named another user (1 of 36)"),
        ("session-db", {"fixated": True}, "planted before the login"),
        ("session-db", {"storable": ("orders",)}, "a cache may keep: orders"),
        ("session-db", {"invariable": ("whoami",)}, "do not say what they vary by: whoami"),
        ("session-db", {"accepted_elsewhere": ("session-file",)}, "let in at session-file"),
        ("session-db", {"obeyed": NEVER}, "declared revocable"),
        ("jwt-once", {"replayed": True}, "accepted twice"),
    ],
)
def test_a_failing_is_named(strategy: str, changed: dict[str, Any], said: str) -> None:
    (line,) = failings(row(strategy, **changed), strategies()[strategy])
    assert said in line


@pytest.mark.parametrize(("strategy", "changed"), [("session-db", {}), ("jwt-hs256", {"obeyed": NEVER})])
def test_what_a_strategy_is_for_is_no_failing(strategy: str, changed: dict[str, Any]) -> None:
    assert list(failings(row(strategy, **changed), strategies()[strategy])) == []
