"""The append-only file of records: torn lines, full disks, two writers."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.journal import Journal, Records
from authbench.records import SERIES_FILE, TRIALS_FILE, Sample, read_series, read_trials
from tests.unit.analysis.synthetic import TRUTHS, World, make


def sample(trial: int) -> Sample:
    return Sample(trial=trial, at_s=0.1, connections={"session-db-1": {"idle": 4}})


def rows(path: Path) -> list[int]:
    return [Sample.model_validate_json(line).trial for line in path.read_bytes().splitlines()]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file of this process may grow beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_appended_stays(tmp_path: Path) -> None:
    path = tmp_path / SERIES_FILE
    with Journal(path) as journal:
        journal.append(sample(1), sample(2))
        journal.append()
    with Journal(path) as journal:
        journal.append(sample(3))
    assert rows(path) == [1, 2, 3]


def test_a_torn_last_line_is_cut_off_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / SERIES_FILE
    with Journal(path) as journal:
        journal.append(sample(1), sample(2))
    path.write_bytes(path.read_bytes()[:-9])
    with Journal(path) as journal:
        journal.append(sample(3))
    assert rows(path) == [1, 3]


@pytest.mark.parametrize("torn", [b"", b"{", b'{"trial":'])
def test_a_file_that_holds_no_whole_line(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / SERIES_FILE
    path.write_bytes(torn)
    with Journal(path) as journal:
        journal.append(sample(3))
    assert rows(path) == [3]


def test_a_full_disk_is_one_clear_line() -> None:
    with Journal(Path("/dev/full")) as journal, pytest.raises(UsageError, match="No space left") as caught:
        journal.append(sample(1))
    assert "--resume /dev" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_found_only_half_a_place_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / SERIES_FILE
    with Journal(path) as journal:
        journal.append(sample(1))
        size = path.stat().st_size
        with files_up_to(size + 20), pytest.raises(UsageError, match="cannot write"):
            journal.append(sample(2), sample(3))
        assert path.stat().st_size == size
        journal.append(sample(4))
    assert rows(path) == [1, 4]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / SERIES_FILE
    with Journal(path) as journal:
        journal.append(sample(1))
        os.write(torn := os.open(path, os.O_WRONLY | os.O_APPEND), b"{")
        os.close(torn)
        with pytest.raises(UsageError, match="another authbench is writing here"):
            Journal(path)
        assert path.read_bytes().endswith(b"{")  # not cut off while it may be in the middle of a write
    with Journal(path) as journal:
        journal.append(sample(2))
    assert rows(path) == [1, 2]


def test_a_trial_that_is_there_has_its_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, trials, series = make(World(launches=1, truths=TRUTHS[:1]))
    first, second = trials[0], trials[1]

    def of(number: int) -> list[Sample]:
        return [each for each in series if each.trial == number]

    with Records(tmp_path) as records:
        records.append(first, of(first.trial))
        written: list[str] = []
        append = Journal.append
        monkeypatch.setattr(
            Journal, "append", lambda self, *rows: (written.append(self._path.name), append(self, *rows))[1]
        )
        records.append(second, of(second.trial))
    assert written == [SERIES_FILE, TRIALS_FILE]
    assert read_trials(tmp_path) == [first, second]
    assert read_series(tmp_path) == [*of(first.trial), *of(second.trial)]
