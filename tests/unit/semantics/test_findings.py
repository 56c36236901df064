import pytest

from authbench.errors import UsageError
from authbench.semantics.findings import SEMANTICS_FILE, read_semantics, write_semantics
from tests.unit.semantics.made import row


def test_rows_are_read_back_as_they_were_written(tmp_path):
    rows = (row(), row("jwt-hs256", stolen_after_logout=("read", "write")))
    write_semantics(tmp_path / "run", rows)
    assert read_semantics(tmp_path / "run") == rows


def test_a_folder_without_them_has_none(tmp_path):
    assert read_semantics(tmp_path) == ()


def test_a_line_that_is_no_row_is_named(tmp_path):
    write_semantics(tmp_path, [row()])
    with (tmp_path / SEMANTICS_FILE).open("a") as file:
        file.write('{"strategy": "x"}\n')
    with pytest.raises(UsageError, match=r"semantics.jsonl:2: not a row of this authbench \(obeyed: "):
        read_semantics(tmp_path)


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write_semantics(tmp_path / "file", [row()])
