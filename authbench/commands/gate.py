"""`authbench gate`: whether a commit may pass; the exit code is the answer."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authbench.errors import UsageError
from authbench.gate.limits import limits_from
from authbench.progress import Silent, bar
from authbench.terminal import err, out

if TYPE_CHECKING:
    from authbench.gate.limits import Limits
    from authbench.gate.result import GateResult

LEDGER = Path("results") / "gate-ledger.jsonl"
USUAL = "session-db,jwt-hs256"  # the two ends: all in the database, nothing in any store


def gate(
    against: Annotated[
        str | None, typer.Option("--against", metavar="REF", help="Build this commit too and alternate with it.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="A stored result folder of another machine or day."),
    ] = None,
    result: Annotated[
        Path | None, typer.Option("--result", metavar="DIR", help="With --baseline: a result measured already.")
    ] = None,
    strategies: Annotated[str | None, typer.Option(metavar="a,b", help=f"Which; default {USUAL}.")] = None,
    max_regression: Annotated[
        str | None, typer.Option("--max-regression", metavar="5%", help="Most that a figure may grow; default 3%.")
    ] = None,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", metavar="[strategy:]metric=5%", help="For one figure; repeatable.")
    ] = None,
    limits_file: Annotated[
        Path | None, typer.Option("--limits", metavar="FILE", help="Limits in TOML; see docs/ci.md.")
    ] = None,
    tiers: Annotated[str, typer.Option(metavar="0,1,2", help="0 counts, 1 instructions, 2 CPU a request.")] = "0,1,2",
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="For both stages of tier 2.")] = 5.0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Measure the next tier although a lower one found a regression.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Draws the order of windows.")] = 1,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What `authbench calibrate` wrote, to quote; default: the newest in results/."
        ),
    ] = None,
    ledger: Annotated[Path, typer.Option(metavar="FILE", help="Where every run's twin is written down.")] = LEDGER,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Default results/gate-TIME.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Print annotations for GitHub Actions.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare the work tree with another commit, or with a stored result, and say whether it is slower.

    Exits 0 (pass), 1 (regression), 3 (invalid) or 5 (inconclusive). Writes gate.json, gate.md and junit.xml.
    """
    from authbench.gate.against import GateOrder, gate_against  # noqa: PLC0415 - the stack loads only when needed
    from authbench.gate.quoted import newest  # noqa: PLC0415
    from authbench.selection import chosen_strategies  # noqa: PLC0415

    if (against is None) == (baseline is None):
        raise UsageError("give --against REF or --baseline FILE, one of them")
    if result is not None and baseline is None:
        raise UsageError("--result belongs to --baseline")
    names = None if strategies is None else tuple(each.name for each in chosen_strategies(strategies.split(",")))
    bounds = limits_from(limits_file, max_regression, limits or [], _known())
    for each in limits or []:
        meant = each.rpartition("=")[0].rpartition(":")[0]
        if meant and names is not None and meant not in names:
            raise UsageError(f"--limit {each}: {meant} is not among --strategies {strategies}")
    chosen_tiers = _tiers(tiers)
    where = folder or Path("results") / f"gate-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if baseline is not None:
        found = _against_stored(baseline, result, names, bounds, where, quiet=as_json)
    else:
        assert against is not None
        _make(where)
        order = GateOrder(
            against=against,
            strategies=names or tuple(USUAL.split(",")),
            limits=bounds,
            folder=where,
            tiers=chosen_tiers,
            minutes=minutes,
            keep_going=keep_going,
            seed=seed,
            ledger=ledger,
            calibration=calibration or newest(Path("results")),
        )
        with bar(err) as watcher:
            found = gate_against(order, Silent() if as_json else watcher)
    _tell(found, where, github=github, as_json=as_json)
    raise typer.Exit(found.exit_code)


def _against_stored(
    baseline: Path, result: Path | None, names: tuple[str, ...] | None, limits: "Limits", where: Path, *, quiet: bool
) -> "GateResult":
    """Compares with a result measured already, or measures one as the baseline was measured."""
    from authbench.gate.baseline import gate_stored, read_stored  # noqa: PLC0415
    from authbench.order import Order, scenario_of  # noqa: PLC0415
    from authbench.runner import run  # noqa: PLC0415

    old = read_stored(baseline, "--baseline")
    if result is not None:
        new = read_stored(result, "--result")
        _make(where)
    else:
        _make(where)
        scenario = scenario_of(old.manifest, old.folder)
        order = Order(scenario, old.manifest.seed, where / "run", f"authbench {shlex.join(sys.argv[1:])}")
        with bar(err) as watcher:
            run(order, Silent() if quiet else watcher)
        new = read_stored(where / "run", "--out")
    return gate_stored(old, new, limits, names)


def _tell(found: "GateResult", folder: Path, *, github: bool, as_json: bool) -> None:
    from reports.exports.annotations import annotations  # noqa: PLC0415
    from reports.gate import cases, print_gate  # noqa: PLC0415
    from reports.gate_files import write_gate  # noqa: PLC0415

    write_gate(found, folder)
    if as_json:
        print(found.model_dump_json())
    else:
        print_gate(found, out)
        out.print(f"\nwritten: gate.json, gate.md, junit.xml in {folder}", highlight=False)
    if github:
        print(*annotations(cases(found)), sep="\n", file=None if not as_json else err.file)


def _known() -> list[str]:
    from apps.contract.registry import strategies  # noqa: PLC0415

    return list(strategies())


def _tiers(text: str) -> tuple[int, ...]:
    try:
        chosen = tuple(sorted({int(each) for each in text.split(",")}))
    except ValueError:
        chosen = ()
    if not chosen or not set(chosen) <= {0, 1, 2}:
        raise UsageError(f"--tiers {text}: write some of 0,1,2")
    return chosen


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot make it ({error.strerror})") from error
    if any((folder / name).exists() for name in ("gate.json", "windows.jsonl")):
        raise UsageError(f"--out {folder}: holds a gate already; name another")
