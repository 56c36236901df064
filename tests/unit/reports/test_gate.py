"""What a gate found, as table, Markdown, JUnit, annotations and one sentence."""

import json
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from authbench.errors import UsageError
from authbench.gate.decision import Outcome
from authbench.gate.gated import GATED
from authbench.gate.result import GateResult, Ledger, Quoted, Side
from reports.exports.annotations import annotations
from reports.exports.junit import junit
from reports.gate import HEADS, cases, cells_of, change, markdown_body, percent, print_gate, shown, verdict, worth
from reports.gate_files import write_gate
from tests.unit.gate.made import CPU, FULL, QUOTED, noisy_row, result, row, twin
from tests.unit.reports.folder import HOSTILE


def printed(found: GateResult, width: int = 300) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    print_gate(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


# Cells


def test_a_noisy_row_is_told_with_its_interval() -> None:
    assert cells_of(noisy_row("regression")) == (
        "2",
        "jwt",
        "whoami",
        GATED[CPU].label,
        "1",
        "1.051",
        "+5.1 % (+4.0 % to +6.2 %)",
        "+3 %",
        "regression",
        "both stages lie above +3 %",
    )
    assert len(cells_of(noisy_row())) == len(HEADS)


@pytest.mark.parametrize(
    ("base", "candidate", "ratio", "cells"),
    [
        (2, 3, 1.5, ("2", "3", "+50.0 %")),
        (0, 1, None, ("0", "1", "–")),
        (None, None, None, ("–", "–", "–")),
        (31_234.0, 30_000, 0.96, ("31,234", "30,000", "-4.0 %")),
        (1_234_567.8, 1_234_567.8, 1.0, ("1,234,568", "1,234,568", "+0.0 %")),
        (0.61244, 0.6, 0.98, ("0.612", "0.600", "-2.0 %")),
    ],
)
def test_numbers_are_as_long_as_they_say_something(
    base: float | None, candidate: float | None, ratio: float | None, cells: tuple[str, ...]
) -> None:
    assert cells_of(row(base=base, candidate=candidate, ratio=ratio))[4:7] == cells


def test_every_figure_has_a_label_and_one_that_is_no_figure_its_own_name() -> None:
    assert {cells_of(row(metric=name))[3] for name in GATED} == {gated.label for gated in GATED.values()}
    assert cells_of(row(metric="status"))[3] == "status"


def test_only_exact_figures_as_before_are_not_shown() -> None:
    kept = [
        row("pass", candidate=1),
        row("regression"),
        row("not compared"),
        row("invalid"),
        noisy_row("pass", base=1.0, candidate=1.0),
        row("pass", tier=1),
    ]
    assert shown([row(), *kept, row()]) == kept


def test_how_changes_and_rates_are_told() -> None:
    assert [change(ratio) for ratio in (1.051, 1.0, 0.5, 2.0)] == ["+5.1 %", "+0.0 %", "-50.0 %", "+100.0 %"]
    assert percent(0.005, 0.0, 0.049) == "0.5 % (0.0 to 4.9 %)"


# The sentence


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("pass", "pass: none of 2 figures is worse than allowed (61 s, exit code 0)"),
        ("regression", "regression: 1 of 2 figures are worse than allowed (61 s, exit code 1)"),
        ("invalid", "invalid: 1 of 2 figures were measured and do not count (61 s, exit code 3)"),
        ("inconclusive", "inconclusive: 1 of 2 figures cannot be decided in this time (61 s, exit code 5)"),
    ],
)
def test_the_verdict_is_one_sentence_with_the_exit_code(outcome: Outcome, sentence: str) -> None:
    assert verdict(result(row(), noisy_row(outcome))) == sentence


@pytest.mark.parametrize("rows", [(), (row("not compared"),)])
def test_where_nothing_was_compared_the_verdict_says_that(rows: tuple[Any, ...]) -> None:
    assert "0 of" not in verdict(result(*rows))


def test_a_pass_does_not_vouch_for_what_was_not_compared() -> None:
    assert "of 3" not in verdict(result(row(), row("not compared"), row("not compared")))


# What it is worth


def test_twins_ledger_and_calibration_are_told_with_their_intervals() -> None:
    lines = worth(FULL)
    assert lines[0].startswith("twin of the base, jwt: +0.0 % (")
    assert lines[0].endswith("over 3 launches: pass")
    assert lines[1] == "ledger: 0 of 60 twins were called a regression, so at most 4.9 % (95 %)"
    assert lines[2] == (
        "calibrated, jwt: false alarms 0.5 % (0.0 to 4.9 %); +5 % found 97.5 % (90.0 to 100.0 %); "
        "smallest change found 95 % of the time 4.3 %"
    )
    assert len(lines) == 3  # a twin of one launch has no interval to tell


def test_a_calibration_without_injection_tells_what_it_has() -> None:
    bare = QUOTED.model_copy(
        update={"injected": None, "found_rate": None, "found_interval": None, "smallest_change_found": None}
    )
    assert worth(result(noisy_row(), calibration=(bare,))) == ["calibrated, jwt: false alarms 0.5 % (0.0 to 4.9 %)"]


def test_without_a_calibration_tier_2_says_how_to_get_one() -> None:
    (line,) = worth(result(noisy_row()))
    assert line.startswith("not calibrated on this machine: authbench calibrate")
    assert worth(result(row())) == []  # counts need none


def test_an_empty_ledger_shows_nothing() -> None:
    (line,) = worth(result(row(), ledger=Ledger(path="l", alarms=0, twins=0, upper=1.0)))
    assert "at most 100.0 %" in line


# The table


def test_the_table_tells_rows_notes_worth_and_the_verdict_last() -> None:
    text = printed(FULL)
    assert text.startswith("main (123456789)  →  HEAD (abcdef012)\n")
    assert "and 1 exact figures as before (gate.json holds them all)" in text
    assert "! tier 1 was left out: valgrind is not installed" in text
    assert all(line in text for line in worth(FULL))
    assert text.rstrip().splitlines()[-1] == verdict(FULL)
    assert len([line for line in text.splitlines() if line.startswith(("0 ", "2 "))]) == len(shown(FULL.rows))


def test_where_everything_is_shown_nothing_is_said_to_be_left_out() -> None:
    assert "as before (gate.json" not in printed(result(noisy_row()))


def test_square_brackets_are_no_markup() -> None:
    text = printed(result(noisy_row("regression", why="[red]x[/red] [/]"), notes=("[bold]note[/]",)))
    assert "[red]x[/red] [/]" in text
    assert "! [bold]note[/]" in text


def hostile(bad: str) -> GateResult:
    return result(
        row("regression", strategy=bad, endpoint=bad, why=bad, limit=bad, unit=bad),
        noisy_row("inconclusive", strategy=bad, why=bad),
        base=Side(told=bad, commit=None),
        candidate=Side(told=bad, commit=None),
        notes=(bad,),
        twins=(twin().model_copy(update={"strategy": bad}),),
        calibration=(Quoted(**{**QUOTED.model_dump(), "strategy": bad, "path": bad}),),
    )


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_reason_cannot_move_the_terminals_cursor(bad: str) -> None:
    assert "\x1b" not in printed(result(row("regression", why=bad)))


def test_no_text_of_a_result_can_move_the_terminals_cursor() -> None:
    assert "\x1b" not in printed(hostile(HOSTILE[-1]))


# Markdown


@pytest.mark.parametrize("bad", HOSTILE)
def test_markdown_holds_no_markup_of_a_result(bad: str) -> None:
    text = markdown_body(hostile(bad))
    assert "\x1b" not in text
    for part in ("<script", "<img", "@someone", "://", "![", "`c`", "**"):
        assert part not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2
    assert {line.replace("\\|", "").count("|") for line in table} == {len(HEADS) + 1}


def test_markdown_is_a_table_and_a_list_of_what_a_reader_must_know() -> None:
    lines = markdown_body(FULL).splitlines()
    blank = lines.index("")
    assert len(lines[:blank]) == 2 + len(shown(FULL.rows))
    assert len(lines[blank + 1 :]) == len(FULL.notes) + len(worth(FULL))
    assert all(line.startswith("- ") for line in lines[blank + 1 :])


# Cases


def test_every_row_is_a_case_also_those_as_before() -> None:
    found = cases(FULL)
    assert [(case.suite, case.name, case.outcome) for case in found] == [
        ("jwt", "whoami statements_per_request", "passed"),
        ("jwt", "whoami cache_commands_per_request", "failed"),
        ("jwt", "whoami answer_bytes", "inconclusive"),
        ("jwt", f"whoami {CPU}", "passed"),
        ("session-db", f"whoami {CPU}", "inconclusive"),
    ]
    assert found[3].message == (f"jwt whoami {CPU}: 1 → 1.051 ms; +5.1 %, limit +3 %: both stages lie above +3 %")
    assert found[1].message == "jwt whoami cache_commands_per_request: 0 → 1 commands; +1 commands"
    assert found[3].properties == {"tier": "2", "limit": "+3 %", "unit": "ms"}
    assert cases(result(noisy_row("invalid")))[0].outcome == "invalid"


def test_a_case_without_a_unit_is_told_without_a_gap() -> None:
    status = row("regression", metric="status", unit="", base=200, candidate=500, why="answers 500")
    assert cases(result(status))[0].message == "jwt whoami status: 200 → 500; answers 500"


def test_junit_has_a_suite_a_strategy_and_counts_what_it_holds() -> None:
    root = ET.fromstring(junit(cases(FULL), name="authbench gate", timestamp=FULL.started_utc))
    assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "1",
        "errors": "0",
    }
    assert [suite.get("name") for suite in root] == ["jwt", "session-db"]
    assert [suite.get("skipped") for suite in root] == ["1", "1"]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "jwt whoami cache_commands_per_request: 0 → 1 commands; +1 commands"


def test_an_invalid_row_is_an_error_for_junit() -> None:
    root = ET.fromstring(junit(cases(result(noisy_row("invalid"))), name="authbench gate"))
    assert (root.get("errors"), root.get("failures")) == ("1", "0")


def test_annotations_tell_regressions_first_and_loudest() -> None:
    lines = annotations(cases(FULL))
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::warning", "::notice", "::notice"]
    assert "cache_commands_per_request" in lines[0]
    assert "+5.1 %25" in lines[4]  # a percent sign is GitHub's escape


# Files


def test_three_files_are_written(tmp_path: Path) -> None:
    write_gate(FULL, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"gate.json", "gate.md", "junit.xml"}
    assert GateResult.model_validate(json.loads((tmp_path / "gate.json").read_text())) == FULL
    text = (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert text.startswith("## authbench gate\n")
    assert "regression: 1 of 4 figures are worse than allowed, 1 not compared" in text
    assert "main (123456789) against HEAD (abcdef012)" in text
    assert "<summary>The whole report</summary>" in text
    root = ET.fromstring((tmp_path / "junit.xml").read_bytes())
    told = {each.get("name"): each.get("value") for each in root.iter("property")}
    assert told == {"base": "main (123456789)", "candidate": "HEAD (abcdef012)"}


@pytest.mark.parametrize("bad", HOSTILE)
def test_files_of_a_hostile_result_are_whole(tmp_path: Path, bad: str) -> None:
    found = hostile(bad)
    write_gate(found, tmp_path)
    ET.fromstring((tmp_path / "junit.xml").read_bytes())
    assert "<script" not in (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert GateResult.model_validate_json((tmp_path / "gate.json").read_text(encoding="utf-8")) == found


def test_a_folder_that_is_gone_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the result"):
        write_gate(FULL, tmp_path / "gone")
