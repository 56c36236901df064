"""Reading a result folder: torn lines, lost trials, foreign schemas."""

from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.records import SCHEMA_VERSION, TRIALS_FILE, Trial, next_trial_number, read_series, read_trials
from tests.unit.analysis.synthetic import TRUTHS, World, make
from tests.unit.reports.folder import write


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(tmp_path)):
        read_trials(tmp_path)


def test_samples_of_a_lost_trial_are_nobodys_and_its_number_is_not_used_again(tmp_path: Path) -> None:
    manifest, trials, series = make(World(launches=1, truths=TRUTHS[:2]))
    last = max(trial.trial for trial in trials)
    write(tmp_path, manifest, trials[:-1], series)

    assert {sample.trial for sample in read_series(tmp_path)} == {trial.trial for trial in trials[:-1]}
    assert next_trial_number(tmp_path) == last + 1


def test_the_first_number_is_0(tmp_path: Path) -> None:
    assert next_trial_number(tmp_path) == 0


def test_records_of_before_a_field_was_added_are_read(tmp_path: Path) -> None:
    manifest, trials, _ = make(World(launches=1, truths=TRUTHS[:1]))
    write(tmp_path, manifest, trials)
    path = tmp_path / TRIALS_FILE
    path.write_text(path.read_text().replace(',"others_cpu_share":null', ""), encoding="utf-8")

    assert "others_cpu_share" not in path.read_text()
    assert read_trials(tmp_path) == list(trials)
    assert Trial.model_fields["others_cpu_share"].default is None


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
