"""Micro-benchmarks are judged by launches: one fast process is no fast library."""

import pytest

from authbench.analysis.micro import micro_rows
from authbench.micro.timings import Timing


def timing(subject: str, launch: int, median_us: float, group: str = "verify HS256") -> Timing:
    return Timing(launch, group, subject, "1", median_us, median_us * 0.9, 100)


SIX = [1.00, 1.01, 0.99, 1.02, 0.98, 1.00]
MADE = [
    *(timing("PyJWT", launch, 40 * by) for launch, by in enumerate(SIX)),
    *(timing("joserfc", launch, 20 * by) for launch, by in enumerate(reversed(SIX))),
    *(timing("authlib", launch, 40.2 * by) for launch, by in enumerate(SIX)),
    *(timing("floor", launch, 10 * by) for launch, by in enumerate(SIX)),
]


def test_cheapest_first_each_with_its_distance_from_the_floor() -> None:
    rows = micro_rows(MADE)
    assert [row.subject for row in rows] == ["floor", "joserfc", "PyJWT", "authlib"]
    assert [row.to_floor and round(row.to_floor.value, 2) for row in rows] == [None, 2.0, 4.0, 4.02]
    assert [row.verdict and row.verdict.word for row in rows] == ["better", "better", None, "equivalent"]
    assert rows[2].time.value == pytest.approx(40, rel=0.001)
    assert rows[2].least_us == pytest.approx(40 * 0.98 * 0.9)


def test_one_launch_gives_no_verdict() -> None:
    rows = micro_rows(each for each in MADE if each.launch == 0)
    assert {row.verdict.word for row in rows if row.verdict} == {"inconclusive"}
    assert all(row.time.low is None for row in rows)


def test_launches_that_differ_decide_nothing() -> None:
    rows = micro_rows(
        [*(timing("PyJWT", n, by) for n, by in enumerate((10, 40, 10, 40))), *(timing("x", n, 20) for n in range(4))]
    )
    assert [row.verdict.word for row in rows if row.verdict] == ["inconclusive"]


def test_a_group_without_floor_or_reference_is_shown_without_ratios() -> None:
    rows = micro_rows(timing("parse", launch, 3, "key RS256") for launch in range(3))
    assert (rows[0].to_floor, rows[0].to_reference, rows[0].verdict) == (None, None, None)


def test_groups_are_kept_apart() -> None:
    other = [timing("PyJWT", launch, 1000, "issue HS256") for launch in range(3)]
    rows = micro_rows([*MADE, *other])
    assert [row.group for row in rows] == ["issue HS256", *["verify HS256"] * 4]
