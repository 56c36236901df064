"""What was observed under faults, over launches: means, worst launches, and one time line."""

from authbench.analysis.faults import suffered
from authbench.experiments.faults.measures import DURING, LOST, RECOVERED, REFUSED
from authbench.records import Reason
from tests.unit.analysis.failed import suffered_by


def test_launches_of_one_cell_are_one_row() -> None:
    rows = suffered(
        [suffered_by("session-cache", "failed", launch=launch, lost=launch) for launch in range(3)]
        + [suffered_by("session-cache", "refused", engine="stock")]
    )
    assert [(row.name, row.launches) for row in rows] == [
        ("session-cache", 3),
        ("session-cache (Django's engine)", 1),
    ]
    assert rows[0].value(DURING) == 0.0
    assert rows[0].value(LOST) == 1.0
    assert rows[0].worst[LOST.name] == 2.0  # the worst launch is never averaged away
    assert rows[1].value(REFUSED) == 10.0


def test_the_time_lines_of_launches_lie_on_each_other() -> None:
    (row,) = suffered([suffered_by("session-cache", "failed", launch=launch) for launch in range(2)])
    line = row.timeline
    assert line.starts_s[0] == -1.0
    assert sum(line.outcomes["failed"]) == 20
    failed = [start for start, count in zip(line.starts_s, line.outcomes["failed"], strict=True) if count]
    assert (failed[0], round(failed[-1], 6)) == (0.0, 0.9)
    assert line.lasted_s == 1.0


def test_a_launch_that_did_not_recover_is_counted_apart() -> None:
    (row,) = suffered(
        [suffered_by("session-cache", "failed"), suffered_by("session-cache", "failed", "refused", launch=1)]
    )
    assert row.value(RECOVERED) == 0.0
    assert row.missing[RECOVERED.name] == 1


def test_what_does_not_count_is_left_out() -> None:
    reason = (Reason(code="not-calm", message=""),)
    assert suffered([suffered_by("session-cache", reasons=reason)]) == ()


def test_only_who_noticed_nothing_kept_answering() -> None:
    calm, hit = suffered([suffered_by("session-db"), suffered_by("session-cache", after="refused")])
    assert calm.kept_answering
    assert not hit.kept_answering


def test_shares_of_users_are_of_those_there_were() -> None:
    (row,) = suffered([suffered_by("session-cache", "refused", "refused", out=25)])
    assert row.out_share == 0.25
