"""The published schemas, and a check of a whole result folder against them."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[4] / "docs" / "schemas"
WHOLE = {"manifest.json": "manifest", "summary.json": "summary"}
LINES = {"trials.jsonl": "trial", "series.jsonl": "sample", "semantics.jsonl": "semantics"}


def validator(name: str) -> Draft202012Validator:
    """The validator of one published schema."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def problems(folder: Path) -> list[str]:
    """What in a result folder does not keep to the published schemas, a line each; empty where all does."""
    found = []
    for file, name in WHOLE.items():
        found += _problems(name, json.loads((folder / file).read_text(encoding="utf-8")), file)
    for file, name in LINES.items():
        if (folder / file).is_file():
            for number, line in enumerate((folder / file).read_text(encoding="utf-8").splitlines(), start=1):
                found += _problems(name, json.loads(line), f"{file}:{number}")
    return found


def _problems(name: str, document: object, where: str) -> list[str]:
    return [f"{where}: {error.json_path}: {error.message}" for error in validator(name).iter_errors(document)]
