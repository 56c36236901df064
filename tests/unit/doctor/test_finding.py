"""The frame of every reader: what it tells becomes a finding, what it cannot read becomes `unknown`."""

import pytest

from authbench.doctor.finding import Finding, Told, about, graded


def test_what_is_told_is_a_finding_under_its_topic() -> None:
    @about("tea", "it wakes")
    def tea(cups: int) -> Told:
        return Told("fair", f"{cups} cups", "one less")

    assert tea(3) == Finding("tea", "fair", "3 cups", "it wakes", "one less")


def test_a_reader_may_say_what_its_finding_means_this_time() -> None:
    @about("tea", "it wakes")
    def tea() -> Told:
        return Told("poor", "none", "brew", "nobody wakes")

    assert tea().means == "nobody wakes"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/proc/1/environ"), "/proc/1/environ: Permission denied"),
        (OSError(38, "Function not implemented"), "Function not implemented"),
        (ValueError("no number"), "ValueError: no number"),
        (KeyError("MemTotal"), "KeyError: 'MemTotal'"),
    ],
)
def test_what_fails_is_unknown_with_why_and_never_a_traceback(error: Exception, said: str) -> None:
    @about("tea", "it wakes")
    def tea() -> Told:
        raise error

    found = tea()
    assert found.state == "unknown"
    assert found.found == f"not told: {said}"
    assert found.advice


def test_an_interrupt_is_not_swallowed() -> None:
    @about("tea", "it wakes")
    def tea() -> Told:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tea()


def test_grades_have_their_bounds_inside() -> None:
    assert [graded(value, 1, 2) for value in (0, 1, 1.5, 2, 2.1)] == ["good", "good", "fair", "fair", "poor"]
