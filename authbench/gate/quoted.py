"""What a calibration file says, as the gate quotes it."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from authbench.errors import UsageError
from authbench.gate.gated import CPU
from authbench.gate.result import Quoted


def quote(path: Path | None, strategies: Sequence[str]) -> tuple[Quoted, ...]:
    """The rows on CPU a request of these strategies; empty without a file. Raises UsageError where it is none."""
    if path is None:
        return ()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        known = Quoted.model_fields.keys() - {"path"}
        quoted = [
            Quoted(path=str(path), **{key: value for key, value in row.items() if key in known})
            for row in rows
            if row["metric"] == CPU and row["strategy"] in strategies
        ]
    except OSError as error:
        raise UsageError(f"--calibration {path}: cannot read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(
            f"--calibration {path}: not what `authbench calibrate --out FILE` writes ({type(error).__name__})"
        ) from error
    return tuple(quoted)
