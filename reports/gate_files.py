"""What a gate leaves in its folder: gate.json, gate.md for a CI step, junit.xml."""

from pathlib import Path

from authbench.errors import UsageError
from authbench.gate.result import GateResult
from authbench.journal import write_whole
from reports.exports.junit import junit
from reports.exports.step_summary import step_summary
from reports.gate import cases, markdown_body, verdict


def write_gate(result: GateResult, folder: Path) -> None:
    """Writes all three. Raises UsageError where the folder cannot be written."""
    found = cases(result)
    properties = {"base": result.base.told, "candidate": result.candidate.told}
    lead = f"{verdict(result)} — {result.base.told} against {result.candidate.told}"
    files = {
        "gate.json": (result.model_dump_json(indent=1) + "\n").encode(),
        "gate.md": step_summary(found, title="authbench gate", lead=lead, body=markdown_body(result)).encode(),
        "junit.xml": junit(found, name="authbench gate", timestamp=result.started_utc, properties=properties),
    }
    try:
        for name, data in files.items():
            write_whole(folder / name, data)
    except OSError as error:
        raise UsageError(f"{folder}: cannot write the result ({error.strerror})") from error
