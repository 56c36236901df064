"""The published schemas: of today's records, and true of them."""

import json

import pytest
from jsonschema import Draft202012Validator

from reports.build import build
from reports.exports.schemas import MODELS, schemas, write
from tests.unit.reports.exports.made import MIXED
from tests.unit.reports.exports.published import SCHEMAS, problems, validator
from tests.unit.reports.folder import written


def test_the_committed_files_are_those_of_the_records():
    committed = {path.name: path.read_bytes() for path in SCHEMAS.glob("*.schema.json")}

    assert committed == schemas(), "stale: run `python -m reports.exports.schemas`"


def test_writing_them_gives_the_same_bytes(tmp_path):
    write(tmp_path / "new")

    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == schemas()


@pytest.mark.parametrize("name", MODELS)
def test_each_is_a_schema_with_name_title_and_description(name):
    schema = validator(name).schema

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:authbench:schema:{name}:1"
    assert schema["title"].startswith("authbench: ")
    assert schema["description"].endswith(".")


def test_a_result_folder_keeps_to_them(tmp_path):
    folder = written(tmp_path, MIXED)
    build(folder)

    assert problems(folder) == []


@pytest.mark.parametrize(
    ("file", "spoil", "said"),
    [
        ("trials.jsonl", lambda trial: trial.pop("launch"), "'launch' is a required property"),
        ("trials.jsonl", lambda trial: trial["load"].update(sent="many"), "$.load.sent: 'many' is not of type"),
        ("trials.jsonl", lambda trial: trial.update(password="x"), "'password' was unexpected"),
        ("trials.jsonl", lambda trial: trial["cpu_s"].update(gpu=1.0), "'gpu' is not one of"),
        ("series.jsonl", lambda sample: sample.update(at_s=None), "series.jsonl:1: $.at_s"),
    ],
)
def test_what_is_no_record_is_seen(tmp_path, file, spoil, said):
    folder = written(tmp_path, MIXED)
    (folder / "summary.json").write_text("{}", encoding="utf-8")
    first, *rest = (folder / file).read_text(encoding="utf-8").splitlines()
    told = json.loads(first)
    spoil(told)
    (folder / file).write_text("\n".join([json.dumps(told), *rest]), encoding="utf-8")

    assert any(said in line for line in problems(folder))
