"""The append-only file of records: torn lines, foreign schemas, full disks."""

from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.records import SCHEMA_VERSION, SERIES_FILE, TRIALS_FILE, Journal, Sample, read_series, read_trials


def sample(trial: int) -> Sample:
    return Sample(trial=trial, at_s=0.1, connections={"session-db-1": {"idle": 4}})


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    with Journal(tmp_path / SERIES_FILE) as journal:
        journal.append(sample(1), sample(2))
    with Journal(tmp_path / SERIES_FILE) as journal:
        journal.append(sample(3))
    assert [row.trial for row in read_series(tmp_path)] == [1, 2, 3]


def test_a_torn_last_line_is_left_out_and_cut_off_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / SERIES_FILE
    with Journal(path) as journal:
        journal.append(sample(1), sample(2))
    path.write_bytes(path.read_bytes()[:-9])
    assert [row.trial for row in read_series(tmp_path)] == [1]
    with Journal(path) as journal:
        journal.append(sample(3))
    assert [row.trial for row in read_series(tmp_path)] == [1, 3]


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(tmp_path)):
        read_trials(tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f'{{"schema_version": {SCHEMA_VERSION + 1}}}', "use a newer authbench"),
        ('{"schema_version": 1, "trial": "x"}', "not a record"),
        ("not json", "not a record"),
    ],
)
def test_a_foreign_line_is_named_by_file_and_number(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / TRIALS_FILE).write_text(line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        read_trials(tmp_path)
    assert f"{TRIALS_FILE}:1" in str(caught.value)


def test_a_full_disk_is_one_clear_line() -> None:
    with Journal(Path("/dev/full")) as journal, pytest.raises(UsageError, match="No space left"):
        journal.append(sample(1))
