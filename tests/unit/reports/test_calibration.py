"""A calibration as a table."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from authbench.gate.calibration import Calibration, CalibrationRow
from authbench.gate.decision import Plan
from reports.calibration import _by_time, _cells, _share, print_calibration
from tests.unit.gate.made import MACHINE
from tests.unit.gate.made import calibrated_row as made


def row(**other: Any) -> CalibrationRow:
    return made("jwt", **{"spread_between_launches": 0.0131, **other})


def printed(*rows: CalibrationRow) -> str:
    found = Calibration(
        started_utc="2026-01-31T12:00:00+00:00",
        seconds=1.0,
        machine=MACHINE,
        versions={},
        git_commit=None,
        plan=Plan(),
        burden_turns={},
        rows=rows,
    )
    console = Console(file=StringIO(), width=300, color_system=None)
    print_calibration(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_row_tells_rates_with_their_intervals() -> None:
    assert _cells(row()) == (
        "jwt",
        "cpu_ms_per_request",
        "2",
        "40",
        "0.0 %\n(0.0 to 20.0 %)",
        "+5 %\n+5.1 %",
        "98.0 %\n(80.0 to 100.0 %)",
        "130",
        "4.4 %",
        "1.3 %",
    )


def test_what_was_not_measured_is_a_dash() -> None:
    cells = _cells(
        row(
            injected=None,
            injected_measured=None,
            found_rate=None,
            found_interval=None,
            smallest_change_found=None,
            spread_between_launches=None,
        )
    )
    assert cells[5:] == ("–", "–", "130", "–", "–")


def test_a_dose_measured_below_nothing_has_one_sign() -> None:
    cells = _cells(row(injected=0.01, injected_measured=(-0.003, -0.01, 0.004)))
    assert cells[5] == "+1 %\n-0.3 %"


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "–"), (0.0, "0.0 %"), (0.044, "4.4 %"), (0.0005, "0.1 %"), (0.00012, "0.012 %"), (0.3, "30.0 %")],
)
def test_a_share_is_told_as_exactly_as_it_is_small(value: float | None, told: str) -> None:
    assert _share(value) == told


def test_the_smallest_change_by_time_is_one_line_a_figure() -> None:
    line = _by_time(row(smallest_change_by_seconds=((60.0, None), (100.4, 0.06), (160.0, 0.044))))
    assert line == (
        "jwt cpu_ms_per_request: smallest change found 95 % of the time in 60 s –, 100 s 6.0 %, 160 s 4.4 %"
    )
    assert _by_time(row()) == ""


def test_the_table_has_a_line_a_row_and_says_what_the_columns_mean() -> None:
    text = printed(row(), row(injected=None), row(smallest_change_by_seconds=((60.0, 0.06),)))
    lines = text.splitlines()
    assert {"strategy", "figure", "tier", "pairs"} <= {word for line in lines[:2] for word in line.split()}
    assert len([line for line in lines if line.startswith("jwt") and "98.0 %" in line]) == 3
    assert "share of drawn verdicts, with the interval of those that share no launch" in text
    assert "standard deviation between launches" in text
    assert lines[-1].endswith("in 60 s 6.0 %")


def test_names_are_no_markup() -> None:
    text = printed(row().model_copy(update={"strategy": "[red]x[/red]"}))
    assert "[red]x[/red]" in text
