"""What a calibration file says, as the gate quotes it."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from authbench.errors import UsageError
from authbench.gate.gated import CPU
from authbench.gate.result import Quoted


def newest(folder: Path) -> Path | None:
    """The calibration that `calibrate` wrote last into that folder; None where there is none that can be read."""
    found = [path for path in folder.glob("calibration*.json") if path.is_file()]
    last = max(found, key=lambda path: path.stat().st_mtime, default=None)
    try:
        quote(last, ())
    except UsageError:  # nobody has named it, so it stops nobody
        return None
    return last


def too_short(quoted: Sequence[Quoted], minutes: float) -> str | None:
    """A note where a verdict takes longer here than the gate is given; None otherwise."""
    # A calibration that injects measures a fourth arm.
    needed = sum((each.seconds_per_verdict or 0.0) * (0.75 if each.injected else 1.0) for each in quoted)
    if needed <= 60 * minutes:
        return None
    return (
        f"calibrated: a verdict on a slower build takes about {needed:.0f} s here, --minutes {minutes:g} gives "
        f"{60 * minutes:.0f} s, so it may end inconclusive"
    )


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
