"""The revival section says what the records show, how surely, and nothing where nothing was observed."""

import pytest

from authbench.observed import Observation
from reports.sections.revival import section
from reports.sections.section import Found, Section
from tests.unit.analysis.revived import after, at
from tests.unit.analysis.synthetic import make

MANIFEST = make()[0]
ONE = {"logouts": 1.0, "acknowledged": 1.0}
GONE = {"logouts": 1.0, "failed": 1.0, "still_accepted": 1.0}


def shown(*observations: Observation) -> Section:
    found = section(Found(MANIFEST, (), (), observations))
    assert found is not None
    return found


def texts(*observations: Observation) -> list[str]:
    return [sentence.text for sentence in shown(*observations).sentences]


def test_other_runs_have_no_such_section() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None


def test_it_tells_who_ends_nothing_from_who_comes_back() -> None:
    told = texts(
        *(after("jwt-hs256", "none", 10), after("jwt-denylist", "none", 0)),
        *(after("jwt-denylist", "cache restart", 10), after("session-cache", "cache restart", 0, others_in=0)),
    )
    assert told[0] == "Without any fault, none of 10 acknowledged logouts of jwt-denylist came back."
    assert "with jwt-hs256 (10 of 10): these logouts end nothing" in told[1]
    assert told[2] == (
        "A cache that forgets undid acknowledged logouts of jwt-denylist (cache restart: 10 of 10). "
        "It logged out users who had not asked for it: session-cache (cache restart: 10 of 10)."
    )


@pytest.mark.parametrize(
    ("kept", "end"), [(0, "on, none of 10 came back."), (2, "on, session-db (2 of 10) came back.")]
)
def test_a_crash_is_told_with_and_without_durability(kept: int, end: str) -> None:
    (told,) = texts(
        after("session-db", "database crash", 4, oldest_ms=131.4),
        after("session-db", "database crash, commits kept", kept, oldest_ms=5.0 if kept else None),
    )
    assert "session-db (4 of 10), the oldest answered 131.4 ms before." in told
    assert told.endswith(end)


def test_a_race_is_told_with_the_operation_it_was_stopped_at() -> None:
    rows = (
        at("race", "session-cache", "preferences", 1, "GET", ONE),
        at("race", "session-cache", "preferences", 2, "SET", {**ONE, "revived": 1.0}),
        at("race", "session-cache", "refresh", 1, "GET", {**ONE, "revived_renewed": 1.0}),
        at("race", "jwt-denylist", "refresh", 1, "GET", ONE),
    )
    told = texts(*rows)
    assert told[0].endswith("session-cache: preferences stopped before SET (operation 2).")
    assert told[1].endswith("session-cache (1 of 1 places). With jwt-denylist no overtaken refresh did.")
    (table,) = shown(*rows).tables
    assert ("session-cache", "preferences", "GET, SET", "2 of 2", "1 of 2", "0 of 2", "2") in table.rows


def test_a_logout_that_a_refresh_overtook_is_told_apart() -> None:
    told = texts(
        at("race", "session-db", "logout", 4, "DELETE django_session", {**ONE, "revived_renewed": 1.0}),
        at("race", "jwt-denylist", "logout", 2, "SET", {"logouts": 1.0}),
    )
    assert told == [
        "A logout that a refresh overtook was answered 200 and the renewed login went on: session-db (1 of 1). "
        "With jwt-denylist such a logout ended the renewed login too, or was not answered 200."
    ]


def test_pairs_are_told_apart_by_whether_both_were_accepted() -> None:
    told = texts(
        at("twice", "jwt-once", "whoami", 1, "SET", {"pairs": 2.0, "one_accepted": 2.0, "living": 2.0}),
        at("twice", "session-db", "refresh", 1, "SELECT django_session", {"pairs": 2.0, "both_accepted": 1.0}),
    )
    assert told == [
        "Of one credential in two requests at once, one was accepted and never both: jwt-once (whoami: 2 of 2 pairs). "
        "Both refreshes of a pair were accepted with session-db (1 of 2)."
    ]


def test_a_logout_that_broke_off_is_never_called_done() -> None:
    rows = (at("half", "session-db", "logout", 1, "DELETE django_session", GONE),)
    assert texts(*rows) == [
        "Of 1 logouts whose store went away in front of one of their operations, 0 were answered 200. Of the others, 1 "
        "left the credential accepted once the store was back, and every client still had it to try again."
    ]
    lied = {**ONE, "revived": 1.0}
    (told,) = texts(at("half", "session-db", "logout", 1, "DELETE django_session", lied))
    assert "1 were answered 200, and credentials were accepted all the same with session-db" in told


def test_fewer_than_six_launches_are_tentative() -> None:
    few = [after("session-db", "none", 0, launch=launch) for launch in range(5)]
    assert {each.certainty for each in shown(*few).sentences} == {"tentative"}
    assert {each.certainty for each in shown(*few, after("session-db", "none", 0, launch=5)).sentences} == {"firm"}
