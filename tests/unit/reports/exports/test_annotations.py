"""GitHub's workflow commands."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.exports.annotations import annotations, command, print_annotations
from reports.exports.case import Case
from tests.unit.reports.exports.made import ANY_CASE, FOUR, found


def test_the_kind_follows_from_the_outcome_errors_first():
    assert annotations(FOUR) == (
        "::error title=file%3A invalid (orders)::invalid: no valid trial%0Asteal in trial 3",
        "::error title=row%3A failed (whoami)::5 %25 slower",
        "::warning title=page%3A inconclusive (whoami)::inconclusive: the interval holds 1",
        "::notice title=jwt%3A passed (whoami)::better: 0.64×%0ACPU a request 0.7 ms%0A6 launches",
    )


@pytest.mark.parametrize(
    ("title", "message", "line"),
    [
        ("a:b,c", "a:b,c", "::error title=a%3Ab%2Cc::a:b,c"),
        ("100%", "100%\r\n50%0A", "::error title=100%25::100%25%0A50%250A"),
        ("two\nlines", "\x1b[31mred", "::error title=two lines::?[31mred"),
        ("t" * 300, "m" * 5000, f"::error title={'t' * 254}…::{'m' * 3999}…"),
    ],
)
def test_escaping_is_the_toolkits(title, message, line):
    assert command("error", title, message) == line


@pytest.mark.parametrize(("number", "shown"), [(9, 9), (10, 10), (11, 10), (60, 10)])
def test_at_most_ten_of_a_kind_and_the_last_tells_how_many_more(number, shown):
    cases = [Case("s", f"case-{n}", outcome, "why") for n in range(number) for outcome in ("failed", "passed")]
    lines = annotations(cases)

    for kind in ("error", "notice"):
        mine = [line for line in lines if line.startswith(f"::{kind} ")]
        assert len(mine) == shown
        if number > 10:
            assert mine[-1].startswith(f"::{kind} title={number - 9} more of this kind::case-9, case-10")


def test_failed_and_invalid_share_the_ten_errors():
    cases = [Case("s", str(n), "failed" if n % 2 else "invalid", "") for n in range(20)]

    assert len(annotations(cases)) == 10


def test_several_runs_share_the_limit_of_the_step(capsys):
    summary, _ = found()
    print_annotations(*[summary] * 20)
    printed = capsys.readouterr().out.splitlines()

    assert 10 < len(printed) <= 30
    assert all(re.match(r"::(error|warning|notice) title=", line) for line in printed)


def test_they_can_go_to_another_stream(capsys):
    stream = io.StringIO()
    print_annotations(found()[0], file=stream)

    assert stream.getvalue().startswith("::error title=")
    assert not capsys.readouterr().out


@given(st.lists(ANY_CASE, max_size=8))
def test_any_text_stays_one_command_a_line(cases):
    for line in annotations(cases):
        assert re.fullmatch(r"::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*", line)
        assert line.isprintable()
