"""The published JSON Schemas of a result folder, made from the records themselves: `python -m reports.exports.schemas`.

Their names are URNs with the schema version in them: nothing has to be fetched to validate a folder offline.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from authbench.analysis.findings import SUMMARY_VERSION, Summary
from authbench.observed import OBSERVATIONS_FILE, Observation
from authbench.observed import SCHEMA_VERSION as OBSERVATIONS_VERSION
from authbench.records import MANIFEST_FILE, SCHEMA_VERSION, SERIES_FILE, TRIALS_FILE, Manifest, Sample, Trial
from authbench.semantics.findings import SCHEMA_VERSION as SEMANTICS_VERSION
from authbench.semantics.findings import SEMANTICS_FILE, Semantics

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
MODELS: Mapping[str, tuple[type[BaseModel], int, str]] = {
    "trial": (Trial, SCHEMA_VERSION, f"authbench: one line of {TRIALS_FILE}"),
    "sample": (Sample, SCHEMA_VERSION, f"authbench: one line of {SERIES_FILE}"),
    "summary": (Summary, SUMMARY_VERSION, "authbench: summary.json"),
    "semantics": (Semantics, SEMANTICS_VERSION, f"authbench: one line of {SEMANTICS_FILE}"),
    "observation": (Observation, OBSERVATIONS_VERSION, f"authbench: one line of {OBSERVATIONS_FILE}"),
    "manifest": (Manifest, SCHEMA_VERSION, f"authbench: {MANIFEST_FILE}"),
}


def schemas() -> dict[str, bytes]:
    """File name -> schema. The same models give the same bytes."""
    return {f"{name}.schema.json": _schema(name, *told) for name, told in MODELS.items()}


def write(folder: Path = FOLDER) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in schemas().items():
        (folder / name).write_bytes(data)


class _Untitled(GenerateJsonSchema):
    """Without a title a key that only repeats the key."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False


def _schema(name: str, model: type[BaseModel], version: int, title: str) -> bytes:
    made = model.model_json_schema(mode="serialization", schema_generator=_Untitled)
    head = {"$schema": DRAFT, "$id": f"urn:authbench:schema:{name}:{version}"}
    told = {**head, "title": title, "description": made["description"]}
    told |= {key: value for key, value in made.items() if key not in told}
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    write()
