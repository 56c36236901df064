"""`authbench verify`: whether strategies keep the contract, and with --security what each withstands and buys."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from authbench.progress import Silent, bar
from authbench.selection import chosen_strategies
from authbench.terminal import complain, err, out

if TYPE_CHECKING:
    from authbench.attacks.findings import Finding
    from authbench.conformance.verification import Verified
    from authbench.semantics.findings import Semantics


def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[STRATEGY]...", help="Default: all.")] = None,
    replicas: Annotated[int, typer.Option(min=1, max=16, help="Replicas a strategy.")] = 2,
    security: Annotated[
        bool,
        typer.Option("--security", help="Attack each; measure logout, theft, replay, clocks and sizes."),
    ] = False,
    within: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds to wait for an event to be obeyed.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check that every strategy keeps the endpoint contract, through the load balancer, on every replica."""
    from authbench.availability import split  # noqa: PLC0415 - the stack's modules load only when needed
    from authbench.scenario import SemanticsPlan  # noqa: PLC0415
    from authbench.standing import verify_strategies  # noqa: PLC0415

    plan = SemanticsPlan(within_s=within) if security else None
    with bar(err) as watcher:
        told = Silent() if as_json else watcher
        able, unavailable = split(chosen_strategies(names or []), told)
        verified, findings, semantics = verify_strategies(able, replicas, told, plan) if able else ([], [], [])
    if as_json:
        _print_json(verified, findings, semantics, unavailable)
    else:
        _print(verified, semantics, unavailable)
        _print_attacks(findings, {each.name: each.known_breaks for each in able})
    for line in (f"{name}: {reason}" for name, reason in unavailable.items()):
        complain(f"not verified: {line}")
    broken = any(row.problems for row in semantics) or any(each.outcome == "broken" for each in findings)
    if unavailable or broken or not all(v.passed for v in verified):
        raise typer.Exit(1)


def _print_json(
    verified: "Sequence[Verified]",
    findings: "Sequence[Finding]",
    semantics: "Sequence[Semantics]",
    unavailable: dict[str, str],
) -> None:
    rows = [
        {"strategy": v.strategy.name, "passed": v.passed, "problems": v.problems, "counted": v.counted}
        for v in verified
    ]
    told = {
        "strategies": rows,
        "attacks": [each.model_dump(mode="json") for each in findings],
        "semantics": [row.model_dump(mode="json") for row in semantics],
        "unavailable": unavailable,
    }
    print(json.dumps(told))


def _print(verified: "Sequence[Verified]", semantics: "Sequence[Semantics]", unavailable: dict[str, str]) -> None:
    table = Table("strategy", "verdict", "SQL / cache / auth calls a request, as the stores counted them")
    for v in verified:
        counted = ", ".join(f"{name} {c.sql:g}/{c.cache:g}/{c.auth:g}" for name, c in v.counted.items())
        table.add_row(v.strategy.name, "[green]passed[/]" if v.passed else "[red]failed[/]", counted)
    for name, reason in unavailable.items():
        table.add_row(name, "[yellow]unavailable[/]", reason)
    out.print(table)
    if semantics:
        from reports.bought import print_bought  # noqa: PLC0415

        print_bought(semantics, None, out)


def _print_attacks(findings: "Sequence[Finding]", known: Mapping[str, tuple[str, ...]]) -> None:
    if not findings:
        return
    from authbench.attacks.table import broken_lines, table_of  # noqa: PLC0415

    out.print(table_of(findings))
    for line in broken_lines(findings, known):
        out.print(line, soft_wrap=True)
