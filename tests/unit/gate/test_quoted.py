"""Which rows of a calibration are quoted, and what is no calibration."""

import json
import os
from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.gate.calibration import CalibrationRow
from authbench.gate.quoted import newest, quote, too_short
from authbench.gate.result import Quoted
from tests.unit.gate.made import CPU
from tests.unit.gate.made import calibrated_row as row


def written(folder: Path, *rows: CalibrationRow) -> Path:
    path = folder / "calibration.json"
    path.write_text(json.dumps({"calibration_version": 1, "rows": [each.model_dump() for each in rows]}))
    return path


def test_rows_on_cpu_of_the_strategies_asked_for_are_quoted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        row("jwt"),
        row("jwt", "window_ms_per_request", smallest_change_found=0.09),
        row("jwt", "cpu_ms_per_request_app"),
        row("other"),
        row("session-db", injected=None, found_rate=None, found_interval=None, smallest_change_found=None),
    )
    jwt, session = quote(path, ["jwt", "session-db", "never-calibrated"])
    assert (jwt.path, jwt.strategy, jwt.metric) == (str(path), "jwt", CPU)
    assert (jwt.false_alarm_rate, jwt.false_alarm_interval) == (0.0, (0.0, 0.2))
    assert (jwt.injected, jwt.found_rate, jwt.found_interval) == (0.05, 0.98, (0.8, 1.0))
    assert jwt.smallest_change_found == 0.044
    assert session.strategy == "session-db"
    assert (session.injected, session.found_rate, session.found_interval) == (None, None, None)


def test_without_a_file_nothing_is_quoted() -> None:
    assert quote(None, ["jwt"]) == ()


def test_a_calibration_of_other_strategies_is_no_error(tmp_path: Path) -> None:
    assert quote(written(tmp_path, row("jwt")), ["session-db"]) == ()


def test_keys_that_a_newer_calibration_adds_do_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"rows": [{**row("jwt").model_dump(), "added_later": [1]}]}))
    assert len(quote(path, ["jwt"])) == 1


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "nowhere.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageError, match=rf"^--calibration {path}: cannot read \({said}"):
            quote(path, ["jwt"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"{}",
        b'{"rows": 7}',
        b'{"rows": null}',
        b'{"rows": ["text"]}',
        b'{"rows": [null]}',
        b'{"rows": [{"strategy": "jwt"}]}',
        b'{"rows": [{"strategy": "jwt", "metric": "cpu_ms_per_request"}]}',
        b'{"rows": [{"strategy": "jwt", "metric": "cpu_ms_per_request", "false_alarm_rate": "many"}]}',
    ],
)
def test_what_is_no_calibration_is_one_clear_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"not what `authbench calibrate --out FILE` writes") as caught:
        quote(path, ["jwt"])
    assert str(caught.value).startswith(f"--calibration {path}: ")
    assert "\n" not in str(caught.value)


def test_the_newest_calibration_of_the_results_is_found(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    for age, name in enumerate(("calibration-b.json", "calibration-a.json", "calibration-a.windows.jsonl")):
        (tmp_path / name).write_text('{"rows": []}')
        os.utime(tmp_path / name, (age, age))
    assert newest(tmp_path) == tmp_path / "calibration-a.json"
    (tmp_path / "calibration-a.json").write_text("nothing of the kind")
    os.utime(tmp_path / "calibration-a.json", (9, 9))
    assert newest(tmp_path) is None


def test_too_few_minutes_are_told_beforehand() -> None:
    quoted = Quoted(
        path="c",
        strategy="jwt-hs256",
        metric="cpu_ms_per_request",
        false_alarm_rate=0,
        false_alarm_interval=(0, 0.2),
        injected=0.05,
        found_rate=1,
        found_interval=(0.8, 1),
        smallest_change_found=0.04,
        seconds_per_verdict=200,
    )
    assert too_short([quoted], 5) is None
    assert too_short([quoted, quoted], 5) is None  # 150 s each: the gate has three arms of the calibration's four
    assert "450 s" in (too_short([quoted] * 3, 5) or "")
