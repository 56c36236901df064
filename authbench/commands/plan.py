"""`authbench plan`: what a rate will need, from what a request was measured to demand."""

from pathlib import Path
from typing import Annotated

import typer

from authbench.errors import InvalidRunError, UsageError
from authbench.terminal import err, out


def plan(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result folder.")],
    rps: Annotated[
        list[float] | None,
        typer.Option("--rps", metavar="N", min=1, max=1e9, help="Requests a second; repeatable. Default 10^2 to 10^7."),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(metavar="whoami=90,orders=10", help="Shares of measured workloads; default: each by itself."),
    ] = None,
    prices: Annotated[Path | None, typer.Option(metavar="FILE", help="Prices in TOML; see docs/plan.md.")] = None,
    utilisation: Annotated[float, typer.Option(min=0.05, max=0.95, help="Most that any part is to be busy.")] = 0.6,
    replica_vcpus: Annotated[float, typer.Option(min=0.1, max=128, help="Cores of one replica.")] = 1.0,
    max_connections: Annotated[int, typer.Option(min=4, max=1_000_000, help="PostgreSQL's limit.")] = 100,
    database_vcpus: Annotated[float, typer.Option(min=1, max=1024, help="Of the largest server to be had.")] = 64.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Plan replicas, connections, store operations, bandwidth and money, and say which part gives out first.

    Writes plan.json and its charts into the folder. Exit code 3: nothing could be tried on windows that were held out,
    so that nothing is extrapolated.
    """
    from authbench.analysis.capacity.plan import DECADES, make_plan  # noqa: PLC0415 - scipy loads only when needed
    from authbench.analysis.capacity.prices import read_prices  # noqa: PLC0415
    from authbench.analysis.capacity.sizing import Fleet  # noqa: PLC0415
    from authbench.records import read_manifest, read_trials  # noqa: PLC0415
    from reports.plan import print_plan, write_plan  # noqa: PLC0415

    fleet = Fleet(
        utilisation=utilisation,
        replica_vcpus=replica_vcpus,
        max_connections=max_connections,
        database_vcpus=database_vcpus,
    )
    manifest = read_manifest(folder)
    made = make_plan(
        manifest,
        read_trials(folder),
        tuple(sorted(set(rps))) if rps else DECADES,
        fleet,
        None if prices is None else read_prices(prices),
        None if mix is None else _shares(mix),
    )
    written = write_plan(folder, manifest, made)
    if as_json:
        print(made.model_dump_json())
    else:
        print_plan(made, out)
    err.print(f"written: {', '.join(str(path) for path in written)}", highlight=False)
    if not any(each.believed for each in made.planned):
        reasons = ", ".join(dict.fromkeys(each.why_not for each in made.planned))
        raise InvalidRunError(f"{folder}: nothing is extrapolated: {reasons}; see docs/plan.md")


def _shares(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            value = float(share)
        except ValueError:
            value = 0.0
        if not name.strip() or not 0 < value < float("inf") or name.strip() in shares:
            raise UsageError(f"--mix {text}: write workload=share,workload=share with shares above 0, each once")
        shares[name.strip()] = value
    return shares
