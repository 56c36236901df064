"""`authbench compare`: result folders side by side, a verdict a metric, refusing what cannot be compared."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authbench.errors import InvalidRunError, UsageError
from authbench.records import SCHEMA_VERSION, TRIALS_FILE, Manifest, Trial, read_manifest, read_trials
from authbench.terminal import out

if TYPE_CHECKING:
    from authbench.analysis.change import Across


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="OLD NEW...", help="Result folders; the first is OLD.")],
    all_: Annotated[bool, typer.Option("--all", help="Every metric, not the scenario's answers alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    github: Annotated[bool, typer.Option("--github", help="Also print annotations for GitHub Actions.")] = False,
) -> None:
    """Set runs beside each other: what changed from OLD to each NEW, a verdict a metric.

    Seconds are compared only where machine, parts and libraries are the same; else ratios to the control, and counts.
    """
    from authbench.analysis.across import across  # noqa: PLC0415 - scipy loads only when needed

    if len(folders) < 2:
        raise UsageError("compare needs two result folders or more: authbench compare OLD NEW")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("compare: one folder is named twice; a run beside itself shows nothing")
    runs = [_read(folder) for folder in folders]
    found = dict(zip(folders[1:], across(runs, every_metric=all_), strict=True))
    if not any(each.changes for each in found.values()):
        raise UsageError(_nothing_left(folders[0], found))
    found = {folder: _with_torn(each, [folders[0], folder]) for folder, each in found.items()}
    if as_json:
        told = [{"new": str(folder), **each.model_dump(mode="json")} for folder, each in found.items()]
        print(json.dumps({"old": str(folders[0]), "comparisons": told}))
    else:
        _print(folders[0], found)
    if github:
        _annotate(found)
    if all(change.verdict.word == "invalid" for each in found.values() for change in each.changes):
        raise InvalidRunError("nothing that was measured on both sides is valid: every verdict is invalid")


def _read(folder: Path) -> tuple[Manifest, list[Trial]]:
    """A run that can be read. Raises UsageError, or InvalidRunError where none of its trials counts."""
    manifest, trials = read_manifest(folder), read_trials(folder)
    newest = max([manifest.schema_version, *(trial.schema_version for trial in trials)])
    if newest > SCHEMA_VERSION:
        raise UsageError(
            f"{folder}: written by schema {newest}, this authbench reads up to {SCHEMA_VERSION}; use a newer authbench"
        )
    if not trials:
        raise UsageError(f"{folder}: holds no trial; finish it with authbench run --resume {folder}")
    if not any(trial.valid for trial in trials):
        codes = ", ".join(sorted({reason.code for trial in trials for reason in trial.reasons}))
        raise InvalidRunError(f"{folder}: none of its {len(trials)} trials is valid ({codes})")
    return manifest, trials


def _nothing_left(old: Path, found: Mapping[Path, "Across"]) -> str:
    reasons = dict.fromkeys(refused.reason for each in found.values() for refused in each.refused)
    told = "; ".join(reasons) or "the two share no cell"
    return f"{', '.join(map(str, found))} cannot be compared with {old}: {told}"


def _with_torn(found: "Across", folders: Sequence[Path]) -> "Across":
    """With a caution for every folder whose last record was cut off, as a crash or a full disk leaves it."""
    from authbench.analysis.caution import Caution  # noqa: PLC0415

    told = "the last record is torn and was left out; authbench run --resume measures it again"
    torn = [folder for folder in folders if not (folder / TRIALS_FILE).read_bytes().endswith(b"\n")]
    cautions = [Caution(code="torn-record", about=str(folder), message=told) for folder in torn]
    return found.model_copy(update={"cautions": (*found.cautions, *cautions)})


def _print(old: Path, found: Mapping[Path, "Across"]) -> None:
    from reports.across import print_across  # noqa: PLC0415

    for folder, each in found.items():
        print_across(str(old), str(folder), each, out)


def _annotate(found: Mapping[Path, "Across"]) -> None:
    from reports.across import cases  # noqa: PLC0415
    from reports.exports.annotations import annotations  # noqa: PLC0415

    for line in annotations([case for folder, each in found.items() for case in cases(folder.name, each)]):
        print(line)
