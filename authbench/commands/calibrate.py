"""`authbench calibrate`: what the gate's word is worth on this machine."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authbench.commands.gate import USUAL
from authbench.errors import UsageError
from authbench.gate.limits import MAX_REGRESSION, share
from authbench.journal import write_whole
from authbench.progress import Silent, bar
from authbench.terminal import err, out

if TYPE_CHECKING:
    from authbench.gate.calibration import Calibration


def calibrate(
    strategies: Annotated[str | None, typer.Option(metavar="a,b", help=f"Which; default {USUAL}.")] = None,
    minutes: Annotated[float, typer.Option(min=0.2, max=24 * 60, help="Time for launches.")] = 20.0,
    inject: Annotated[
        str | None, typer.Option(metavar="5%", help="Also burden B with this share of its CPU, and say if it is found.")
    ] = None,
    max_regression: Annotated[
        str, typer.Option("--max-regression", metavar="3%", help="The limit that verdicts are drawn for.")
    ] = f"{100 * MAX_REGRESSION:g}%",
    cpu_only: Annotated[bool, typer.Option("--cpu-only", help="Leave out tiers 0 and 1.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Draws the order of windows and the verdicts.")] = 1,
    path: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default results/calibration-TIME.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure the same build against itself: false alarms, spread, and the smallest change that is found.

    Writes a file that `authbench gate --calibration FILE` quotes, and every window beside it.
    """
    from authbench.gate.calibrate import CalibrationOrder  # noqa: PLC0415 - the stack loads only when needed
    from authbench.gate.calibrate import calibrate as measure  # noqa: PLC0415
    from authbench.selection import chosen_strategies  # noqa: PLC0415

    where = path or Path("results") / f"calibration-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    if not where.name or where.is_dir():
        raise UsageError(f"--out {str(where)!r}: name a file, such as calibration.json")
    windows = where.with_suffix(".windows.jsonl")
    _free(where, windows)
    order = CalibrationOrder(
        strategies=tuple(chosen_strategies((strategies or USUAL).split(","))),
        minutes=minutes,
        inject=None if inject is None else share(inject, "--inject"),
        windows=windows,
        margin=share(max_regression, "--max-regression"),
        exact=not cpu_only,
        seed=seed,
    )
    if order.inject == 0:
        raise UsageError("--inject 0%: nothing would be injected; leave the option out")
    with bar(err) as watcher:
        found = measure(order, Silent() if as_json else watcher)
    _write(where, found)
    if as_json:
        print(json.dumps([row.model_dump() for row in found.rows]))
    else:
        from reports.calibration import print_calibration  # noqa: PLC0415

        print_calibration(found, out)
        out.print(
            f"\nwritten: {where} and {windows}; quote it with authbench gate --calibration {where}", highlight=False
        )


def _free(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise UsageError(f"--out {path}: is there already; name another")
    try:
        paths[0].parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {paths[0]}: cannot make its folder ({error.strerror})") from error


def _write(path: Path, found: "Calibration") -> None:
    try:
        write_whole(path, (found.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise UsageError(f"--out {path}: cannot write ({error.strerror})") from error
