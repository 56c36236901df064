"""The commands. Each is thin: it reads options, calls one function and prints what that returns."""

import contextlib
import json
import shlex
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from apps.contract.registry import StrategyError, strategies
from authbench.commands.calibrate import calibrate
from authbench.commands.compare import compare
from authbench.commands.doctor import doctor
from authbench.commands.gate import gate
from authbench.commands.micro import micro
from authbench.commands.plan import plan
from authbench.commands.verify import verify
from authbench.design import estimated_seconds
from authbench.errors import AuthbenchError, InterruptedRunError, InvalidRunError, StackError, UsageError
from authbench.order import Asked, Order, order_for
from authbench.progress import Silent, as_minutes, bar
from authbench.scenario import Scenario
from authbench.scenario_file import scenario_names
from authbench.selection import chosen_strategies, listed_scenario, listed_strategy
from authbench.terminal import complain, err, out, shown

if TYPE_CHECKING:
    from reports.build import Built

app = typer.Typer(
    help="Measures where the proof of a login should live, and what each place costs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(epilog="Example: authbench doctor")(doctor)
app.command(epilog="Example: authbench compare results/before results/after")(compare)
app.command(epilog="Example: authbench verify session-db jwt-hs256 --security")(verify)
app.command(epilog="Example: authbench gate --against origin/main")(gate)
app.command(epilog="Example: authbench micro --profile quick --tokens-only")(micro)
app.command(epilog="Example: authbench plan results/compare-20261124T120000Z --rps 5000")(plan)
app.command(epilog="Example: authbench calibrate --minutes 30 --inject 5% --out calibration.json")(calibrate)

StrategyNames = Annotated[
    str | None,
    typer.Option("--strategies", metavar="a,b", help="Only these strategies; names as in `authbench list`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
SEED_HELP = "Draws the order of trials and the arrivals."
Seed = Annotated[int, typer.Option(min=0, help=SEED_HELP)]


@app.command(name="run", epilog="Example: authbench run --profile quick --strategies none,session-db,jwt-hs256")
def run_command(
    scenario: Annotated[str | None, typer.Argument(help="Its name, or a TOML file.", show_default="compare")] = None,
    profile: Annotated[str | None, typer.Option(help="quick, standard, thorough.", show_default="standard")] = None,
    names: StrategyNames = None,
    levels: Annotated[
        list[str] | None, typer.Option("--set", metavar="factor=level,level", help="Other levels of a factor.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help=SEED_HELP, show_default="1")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Result folder; default results/NAME-TIME.")
    ] = None,
    backend: Annotated[str, typer.Option(help="Where the stack runs.")] = "embedded",
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Finish the run in DIR.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start the stack, verify, measure, and print a table with a verdict a strategy.

    Writes the result folder with records, charts and report.html.
    """
    if backend != "embedded":
        raise UsageError(f"--backend {backend}: not a backend here; the one there is: embedded")
    asked = Asked(scenario, profile, names, tuple(levels or ()), seed)
    order = order_for(asked, out=folder, resume=resume, command=f"authbench {shlex.join(sys.argv[1:])}")
    _announce(order.scenario, order.folder)
    _run(order, as_json)


@app.command(name="list", epilog="Example: authbench list --json")
def list_command(as_json: AsJson = False) -> None:
    """Show every strategy (carrier, freshness, stores) and every scenario."""
    listed = {
        "strategies": [listed_strategy(strategy) for strategy in strategies().values()],
        "scenarios": [listed_scenario(name) for name in scenario_names()],
    }
    if as_json:
        print(json.dumps(listed))
        return
    table = Table("strategy", "carrier", "freshness", "stores", "what it is", title="Strategies", title_justify="left")
    for row in listed["strategies"]:
        told = shown(row["summary"])
        if row["unavailable"]:
            told += f" [yellow]Not yet: {shown(row['unavailable'])}[/]"
        table.add_row(shown(row["name"]), row["carrier"], row["freshness"], ", ".join(row["stores"]) or "–", told)
    out.print(table)
    table = Table("scenario", "cells", "standard takes", "question", title="Scenarios", title_justify="left")
    for each in listed["scenarios"]:
        takes = as_minutes(each["estimated_seconds"])
        table.add_row(shown(each["name"]), str(each["cells"]), takes, shown(each["question"]))
    out.print(table)


@app.command(epilog="Example: authbench report results/compare-20261124T120000Z")
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Result folders.")],
    github: Annotated[bool, typer.Option("--github", help="Print annotations for a GitHub workflow as well.")] = False,
    article: Annotated[
        Path | None,
        typer.Option("--article", metavar="FILE", help="Write the article's claims to this page, of one folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild table, charts, report and exports from the records of a result folder."""
    if article is not None and len(folders) != 1:
        raise UsageError(f"--article {article}: the page is of one result folder, {len(folders)} are named")
    built = [_report(folder, as_json) for folder in folders]
    if article is not None:
        from reports.build import write_article  # noqa: PLC0415

        written = write_article(folders[0], built[0], article)
        err.print(f"article: {article}  ({len(written)} files)", highlight=False)
    if github:
        from reports.exports.annotations import print_annotations  # noqa: PLC0415

        # GitHub's runner reads both streams; beside JSON, stdout is for one document a folder.
        print_annotations(*(each.summary for each in built), file=sys.stderr if as_json else sys.stdout)


@app.command(epilog="Example: authbench up --strategies session-db,jwt-hs256 --replicas 3")
def up(
    names: StrategyNames = None,
    replicas: Annotated[int, typer.Option(min=1, max=16, help="Replicas a strategy.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Start the stack alone and keep it up until ^C."""
    from authbench.standing import stand  # noqa: PLC0415

    chosen = chosen_strategies(names.split(",") if names else [])
    with bar(err) as watcher, stand(chosen, replicas, Silent() if as_json else watcher) as standing:
        if as_json:
            print(json.dumps(standing), flush=True)
        else:
            table = Table("strategy", "load balancer", "replicas")
            for name, where in standing["strategies"].items():
                table.add_row(name, where["url"], " ".join(where["replicas"]))
            out.print(table)
            user = standing["users"][0]
            out.print(f"log in as {user['username']} with password {user['password']}; ^C ends everything")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                signal.pause()


@app.command(epilog="Example: authbench load http://127.0.0.1:8000/api/public --rate 500 --duration 10")
def load(
    url: Annotated[str, typer.Argument(help="What to request, on loopback.")],
    rate: Annotated[float | None, typer.Option(min=0.1, max=100_000, help="Requests a second (open model).")] = None,
    duration: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds.")] = 10.0,
    arrivals: Annotated[str, typer.Option(help="constant or poisson.")] = "constant",
    saturate: Annotated[
        int | None, typer.Option(min=1, max=10_000, metavar="C", help="C connections without pause (closed model).")
    ] = None,
    headers: Annotated[list[str] | None, typer.Option("--header", metavar="'K: V'", help="Repeatable.")] = None,
    allow_target: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-target", metavar="HOST", help="A host that may be loaded and says so itself (docs/safety.md)."
        ),
    ] = None,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Load one URL and report latency from the intended start of each request."""
    from authbench.loading import Target, load_url  # noqa: PLC0415

    if (rate is None) == (saturate is None):
        raise UsageError("give --rate R (open model) or --saturate C (closed model), one of them")
    if arrivals not in ("constant", "poisson"):
        raise UsageError(f"--arrivals {arrivals}: neither constant nor poisson")
    target = Target(url, tuple(headers or ()), frozenset(allow_target or ()))
    result = load_url(target, rate=rate, saturate=saturate, duration_s=duration, arrivals=arrivals, seed=seed)
    if as_json:
        print(json.dumps(result))
    else:
        _print_load(result)
    if not result["valid"]:
        raise typer.Exit(InvalidRunError.exit_code)


def main() -> None:
    """The process: every error is one clear line and the exit code of DESIGN.md; no traceback reaches a user."""
    try:
        code = app(standalone_mode=False)
        if code == InterruptedRunError.exit_code:  # Typer has taken the KeyboardInterrupt
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted; nothing is left running")
        sys.exit(130)
    except StrategyError as error:
        complain(str(error))
        sys.exit(UsageError.exit_code)
    except AuthbenchError as error:
        complain(str(error))
        if isinstance(error, StackError) and error.log_tail:
            err.print(error.log_tail, markup=False, highlight=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        # Typer carries a copy of Click or uses Click itself: a wrong option is known by what it can say, not by class.
        if (told := getattr(error, "format_message", None)) is not None:
            if message := told():  # empty where help was printed instead
                complain(message)
            sys.exit(UsageError.exit_code)
        with tempfile.NamedTemporaryFile("w", prefix="authbench-", suffix=".log", delete=False) as details:
            traceback.print_exc(file=details)
        complain(f"a defect of authbench: {type(error).__name__}: {error}; please report it with {details.name}")
        sys.exit(StackError.exit_code)


def _run(order: Order, as_json: bool) -> None:
    from authbench.analysis.advice import why_invalid  # noqa: PLC0415
    from authbench.runner import run  # noqa: PLC0415

    try:
        with bar(err) as watcher:
            run(order, Silent() if as_json else watcher)
    except KeyboardInterrupt:
        raise InterruptedRunError(f"interrupted; nothing is left running. {order.what_is_kept()}") from None
    except StackError as error:
        raise StackError(f"{error}. {order.what_is_kept()}", error.log_tail) from error
    if why := why_invalid(_report(order.folder, as_json).summary):
        raise InvalidRunError(why)


def _report(folder: Path, as_json: bool) -> "Built":
    from authbench.semantics.findings import read_semantics  # noqa: PLC0415
    from reports.bought import print_bought  # noqa: PLC0415
    from reports.build import build  # noqa: PLC0415
    from reports.sections.terminal import print_sections  # noqa: PLC0415
    from reports.table import print_summary  # noqa: PLC0415

    built = build(folder)
    summary = built.summary
    if as_json:
        print(summary.model_dump_json())
    else:
        print_summary(summary, out, brief=bool(built.sections))
        print_sections(built.sections, out)
        if semantics := read_semantics(folder):
            print_bought(semantics, summary, out)
        out.print(f"\nreport: {folder / 'report.html'}  ({len(built.files)} files in {folder})", highlight=False)
    return built


def _announce(scenario: Scenario, folder: Path) -> None:
    seconds = estimated_seconds(scenario)
    err.print(
        f"{shown(scenario.name)} ({scenario.profile_name}): {len(scenario.cells())} cells on "
        f"{scenario.profile.launches} launches, about {as_minutes(seconds)}; records in {shown(str(folder))}",
        highlight=False,
    )


def _print_load(result: dict[str, Any]) -> None:
    table = Table("", "p50", "p90", "p99", "p99.9", "max")
    for name, label in (
        ("latency_ms", "latency, ms (from the intended start)"),
        ("service_ms", "service, ms (from the send)"),
        ("lateness_ms", "lateness of the generator, ms"),
    ):
        values = result[name]
        shown = (values[quantile] for quantile in ("p50", "p90", "p99", "p999", "max"))
        table.add_row(label, *("–" if value is None else f"{value:.2f}" for value in shown))
    out.print(table)
    if result["model"] == "saturate":
        out.print("closed model: its latency restates the throughput; use --rate to measure latency")
    out.print(
        f"{result['requests']} requests, {result['failures']} failures; "
        f"{result['offered_rps']:.1f}/s offered, {result['achieved_rps']:.1f}/s achieved; "
        f"generator {result['cpu_us_per_request']:.1f} µs of CPU a request",
        highlight=False,
    )
    for reason in result["reasons"]:
        out.print(f"[red]does not count:[/] {reason}", highlight=False)


if __name__ == "__main__":
    main()
