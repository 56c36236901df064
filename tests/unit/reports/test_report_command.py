"""`authbench report`: what it prints for people, for programs and for GitHub."""

import json
import sys

import pytest

from authbench import cli
from tests.unit.analysis.synthetic import TRUTHS, World
from tests.unit.reports.exports.made import MIXED
from tests.unit.reports.folder import written


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    return [str(written(home / "a", MIXED)), str(written(home / "b", World(launches=2, truths=TRUTHS[:3])))]


def printed(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["authbench", "report", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    return capsys.readouterr()


def test_json_is_one_document_a_folder_and_annotations_go_beside_it(monkeypatch, capsys, folders):
    streams = printed(monkeypatch, capsys, *folders, "--json", "--github")
    documents = [json.loads(line) for line in streams.out.splitlines()]

    assert [document["question"]["name"] for document in documents] == ["compare", "compare"]
    assert len(documents[0]["rejected"]) == 1
    assert "::error title=session-cache%3A failed (verification)::" in streams.err


def test_annotations_follow_the_table(monkeypatch, capsys, folders):
    lines = printed(monkeypatch, capsys, folders[0], "--github").out.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("::"))

    assert all(line.startswith(("::error title=", "::warning title=", "::notice title=")) for line in lines[first:])
    assert "::" not in "".join(lines[:first])


def test_without_the_option_there_are_none(monkeypatch, capsys, folders):
    assert "::" not in printed(monkeypatch, capsys, folders[1]).out
