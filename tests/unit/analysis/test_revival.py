"""What revival's observations amount to: counts added over launches, places in the request's order."""

from authbench.analysis.revival import after_events, stopped
from authbench.experiments.revival import measures
from authbench.records import Reason
from tests.unit.analysis.revived import after, at

OVERTAKEN = {"logouts": 1.0, "acknowledged": 1.0}


def test_counts_are_added_over_launches_and_the_oldest_is_kept() -> None:
    (found,) = after_events(
        [
            after("session-db", "database crash", 3, oldest_ms=120.0),
            after("session-db", "database crash", 0, launch=1),
            after("session-db", "database crash", 1, launch=2, oldest_ms=80.0),
        ]
    )
    assert (found.revived, found.counts.of(measures.ACKNOWLEDGED), found.counts.launches) == (4, 30, 3)
    assert found.oldest_ms == 120.0


def test_events_and_strategies_are_apart_and_what_does_not_count_is_left_out() -> None:
    bad = after("jwt-denylist", "cache flush", 9, launch=1)
    bad = bad.model_copy(update={"reasons": (Reason(code="errors", message="no answer"),)})
    found = after_events([after("session-db", "none", 0), after("jwt-denylist", "cache flush", 10), bad])
    assert [(each.strategy, each.event, each.revived) for each in found] == [
        ("jwt-denylist", "cache flush", 10),
        ("session-db", "none", 0),
    ]


def test_places_are_in_the_requests_order_and_say_where() -> None:
    rows = [
        at("race", "session-cache", "preferences", number, operation, {**OVERTAKEN, "revived": float(number == 10)})
        for number, operation in ((10, "SET"), (2, "GET"))
    ]
    (found,) = stopped([*rows, at("half", "session-cache", "logout", 1, "GET", {"logouts": 1.0})], "race")
    assert [place.operation for place in found.places] == ["GET", "SET"]
    assert [place.number for place in found.where(measures.REVIVED)] == [10]
    assert (found.total(measures.ACKNOWLEDGED), found.total(measures.REVIVED), found.launches) == (2, 1, 1)
