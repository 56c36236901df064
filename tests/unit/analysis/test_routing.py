"""What routing's observations amount to: shares with intervals that stay shares, the knee, the tail that is known."""

import pytest

from authbench.analysis.routing import lines, logins, tail_of
from authbench.records import Reason
from tests.unit.analysis.routed import RATES, login, rise, tailed, window


def test_a_share_that_every_launch_counted_alike_has_no_width() -> None:
    (found,) = logins(login("session-locmem", "cookie", "leaves", 1 / 3, launch=launch) for launch in range(3))
    assert found.logged_out.value == pytest.approx(1 / 3)
    assert found.logged_out.low == found.logged_out.high
    assert (found.logged_out.n, found.users) == (3, 60)


def test_an_interval_stays_a_share() -> None:
    (found,) = logins(
        login("session-locmem", "round robin", "none", share, launch=launch) for launch, share in enumerate((0.7, 1.0))
    )
    assert (found.logged_out.low, found.logged_out.high) == (0.0, 1.0)


def test_what_does_not_count_is_left_out_and_other_levels_are_apart() -> None:
    bad = (Reason(code="errors", message="a request was answered 502"),)
    found = logins(
        [
            login("session-locmem", "cookie", "none", 0.0),
            login("session-locmem", "cookie", "none", 0.9, launch=1, reasons=bad),
            login("session-locmem", "cookie", "joins", 0.5),
        ]
    )
    assert [(each.event, each.logged_out.value, each.logged_out.n) for each in found] == [
        ("none", 0.0, 1),
        ("joins", 0.5, 1),
    ]


def test_the_knee_is_where_the_tail_grows_fivefold() -> None:
    (line,) = lines(rise("session-db", "round robin", dict(zip(RATES, (4.0, 19.0, 21.0), strict=True)), 6, 1_000))
    knee, before = line.knee("p99"), line.before_knee("p99")
    assert knee is not None and before is not None
    assert (before.offered_rps, knee.offered_rps) == (300.0, 500.0)


def test_the_knee_is_where_the_rate_is_not_kept_up() -> None:
    made = [window("jwt", "round robin", rate, [2.0] * 200, kept_up=kept) for rate, kept in ((100, 1.0), (300, 0.98))]
    (line,) = lines(made)
    knee = line.knee("p50")
    assert knee is not None and knee.offered_rps == 300.0


def test_a_line_that_does_not_bend_has_no_knee() -> None:
    (line,) = lines(rise("jwt", "round robin", dict.fromkeys(RATES, 4.0), 2, 200))
    assert line.knee("p50") is None
    assert line.before_knee("p50") == line.points[-1]


@pytest.mark.parametrize(("samples", "tail"), [(2_600, "p99"), (300, "p90"), (60, "p50"), (20, None)])
def test_the_tail_is_the_highest_that_all_launches_together_support(samples: int, tail: str | None) -> None:
    found = lines(rise("jwt", "round robin", {100.0: 4.0}, 2, samples))
    assert tail_of(found) == tail


def test_one_window_with_few_samples_lowers_the_tail_for_all() -> None:
    made = [window("a", "cookie", 100.0, tailed(2, 4, 6_000)), window("b", "cookie", 100.0, tailed(2, 4, 600))]
    assert tail_of(lines(made)) == "p90"
    assert tail_of(()) is None
