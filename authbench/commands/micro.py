"""`authbench micro`: what issuing, verifying, loading and saving a login costs in process, beside the floor of each."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authbench.errors import StackError, UsageError
from authbench.progress import Silent, bar
from authbench.terminal import err, out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authbench.analysis.micro import MicroRow

PRECISION = {"quick": (3, 0.05, 100), "standard": (6, 0.25, 300), "thorough": (12, 0.5, 1000)}
USUAL = "none,session-db,session-cache,session-cached-db,session-file,session-cookie,session-locmem,jwt-hs256,jwt-row"
DRF = "drf-session,drf-token,drf-knox,drf-simplejwt,drf-simplejwt-stateless,drf-jwt"


def micro(
    strategies: Annotated[
        str | None,
        typer.Option(metavar="a,b", help="Whose logins are recognised in process; default: sessions, JWT, DRF."),
    ] = None,
    tokens_only: Annotated[bool, typer.Option("--tokens-only", help="Libraries and floors alone; no store.")] = False,
    profile: Annotated[str, typer.Option(help="quick, standard, thorough.")] = "standard",
    launches: Annotated[
        int | None, typer.Option(min=1, max=100, help="Processes launched afresh; default: the profile's.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the order of everything.")] = 1,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Default results/micro-TIME.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure token libraries, keys, sessions and authenticators in processes launched afresh.

    Writes a file a launch that `pytest-benchmark compare` reads.
    """
    from authbench.analysis.micro import micro_rows  # noqa: PLC0415 - scipy and the stack load only when needed
    from authbench.machine import split_cores  # noqa: PLC0415
    from authbench.micro.measuring import MicroOrder, measure, why_not  # noqa: PLC0415
    from authbench.micro.timings import read_launch  # noqa: PLC0415
    from authbench.selection import chosen_strategies  # noqa: PLC0415

    if profile not in PRECISION:
        raise UsageError(f"--profile {profile}: none of {', '.join(PRECISION)}")
    if tokens_only and strategies:
        raise UsageError("--tokens-only and --strategies: give one of them")
    if (missing := why_not()) is not None:
        raise StackError(missing)
    chosen = () if tokens_only else tuple(chosen_strategies((strategies or f"{USUAL},{DRF}").split(",")))
    if outside := [each.name for each in chosen if not each.counted_in_process]:
        raise UsageError(f"--strategies {', '.join(outside)}: of another framework, not measured in process")
    where = folder or Path("results") / f"micro-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    _make(where)
    usual, longest_s, rounds = PRECISION[profile]
    order = MicroOrder(chosen, launches or usual, longest_s, rounds, seed, where.resolve())
    with bar(err) as watcher:
        told = Silent() if as_json else watcher
        written = measure(order, split_cores(frozenset(os.sched_getaffinity(0))), told)
    rows = micro_rows(
        timing for launch, paths in written.items() for path in paths for timing in read_launch(path, launch)
    )
    _tell(rows, where, written, as_json)


def _tell(rows: "Sequence[MicroRow]", where: Path, written: "Mapping[int, Sequence[Path]]", as_json: bool) -> None:
    text = json.dumps([row.model_dump(mode="json") for row in rows])
    (where / "micro.json").write_text(text + "\n", encoding="utf-8")
    if as_json:
        print(text)
        return
    from reports.micro import print_micro  # noqa: PLC0415

    print_micro(rows, out)
    files = sum(map(len, written.values()))
    out.print(f"\nwritten: {where / 'micro.json'} and {files} files for pytest-benchmark compare", highlight=False)


def _make(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"--out {folder}: is not empty; name another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot make it ({error.strerror})") from error
