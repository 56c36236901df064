"""Counts of rotations are totals, times have intervals over launches, and what does not count is left out."""

import pytest

from authbench.analysis.rotation import rotations
from authbench.records import Reason
from tests.unit.analysis.rotated import rotated

SLOW = (Reason(code="too-slow", message="busy"),)


def test_counts_are_totals_and_times_means_over_launches() -> None:
    (row,) = rotations([rotated("jwt-hs256", "overlap", launch=launch, wrongly=launch) for launch in range(3)])
    assert (row.launches, row.requests, row.wrongly, row.wrong_launches) == (3, 300, 3, 2)
    assert (row.renewing, row.keeping, row.users, row.out) == (30, 15, 45, 15)
    assert row.mixed is not None
    assert row.mixed.value == pytest.approx(7.0)
    assert row.mixed.low is not None
    assert row.wrongly_share.value == pytest.approx(0.01)
    assert row.wrongly_share.low == 0.0  # a share is never less
    assert row.timeline is not None


def test_rows_stand_by_key_strategy_and_way() -> None:
    made = [
        rotated("jwt-jwks", "at once", key="jwks"),
        rotated("session-db", "overlap", key="secret key", page=2),
        rotated("session-db", "overlap", key="secret key"),
        rotated("jwt-row", "at once"),
        rotated("jwt-hs256", "at once"),
        rotated("jwt-hs256", "overlap"),
    ]
    assert [(row.strategy, row.way, row.page) for row in rotations(made)] == [
        ("jwt-hs256", "overlap", 1),
        ("jwt-hs256", "at once", 1),
        ("jwt-row", "at once", 1),
        ("session-db", "overlap", 1),
        ("session-db", "overlap", 2),
        ("jwt-jwks", "at once", 1),
    ]


def test_what_does_not_count_is_left_out_and_measured_again_it_counts_once() -> None:
    assert rotations([rotated("jwt-hs256", "overlap", reasons=SLOW)]) == ()
    (row,) = rotations([rotated("jwt-hs256", "overlap", reasons=SLOW, wrongly=7), rotated("jwt-hs256", "overlap")])
    assert (row.launches, row.wrongly) == (1, 0)


def test_a_key_whose_end_was_not_seen_has_no_time() -> None:
    (row,) = rotations([rotated("jwt-hs256", "overlap", old_refused_s=None)])
    assert row.old_refused is None
