"""`authbench doctor`: what this machine can do, and what to do about what it cannot."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from authbench.errors import StackError
from authbench.progress import Silent, Watcher, bar
from authbench.terminal import err, out

if TYPE_CHECKING:
    from authbench.doctor.examination import Noise
    from authbench.doctor.finding import Finding

SHOWN = {"good": ("✓", "green"), "fair": ("!", "yellow"), "poor": ("✗", "red"), "unknown": ("?", "cyan")}
WORST_FIRST = ("poor", "fair", "unknown")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    quick: Annotated[bool, typer.Option("--no-noise", help="Leave out the A/A of the real stack.")] = False,
) -> None:
    """Look at this machine: cores, clock, noise, backends, limits, and what to do about each."""
    from authbench.doctor.examination import examine  # noqa: PLC0415 - reads nothing until it is asked to

    with bar(err) as watcher:
        told = Silent() if as_json else watcher
        examined = examine(told, Path("results"), None if quick else _noise(told))
    if as_json:
        findings = [dataclasses.asdict(each) for each in examined.findings]
        print(json.dumps({"findings": findings, "machine": _machine()}))
    else:
        _print(examined.findings)
    if examined.fault is not None:
        raise StackError(f"the embedded backend cannot run here: {examined.fault}")


def _noise(watcher: Watcher) -> "Noise":
    """The A/A of the real stack, loaded only where it is asked for."""

    def measured(seconds: float) -> "Sequence[Finding]":
        from authbench.doctor.noise import aa_noise  # noqa: PLC0415
        from authbench.runner import interruptible  # noqa: PLC0415

        with interruptible():
            return aa_noise(seconds, watcher)

    return measured


def _machine() -> dict[str, Any]:
    import os  # noqa: PLC0415

    from authbench.machine import split_cores, this_machine  # noqa: PLC0415

    try:
        return this_machine(split_cores(frozenset(os.sched_getaffinity(0)))).model_dump()
    except OSError:  # a system without os-release
        return {}


def _print(findings: Sequence["Finding"]) -> None:
    table = Table("topic", "", "found")
    for each in findings:
        mark, colour = SHOWN[each.state]
        table.add_row(Text(each.topic), Text(mark, style=colour), Text(each.found))
    out.print(table)
    asking = [each for state in WORST_FIRST for each in findings if each.state == state and each.advice]
    if not asking:
        out.print("\nnothing to do: this machine measures as well as it can")
        return
    out.print("\nWhat to do", style="bold")
    for each in asking:
        mark, colour = SHOWN[each.state]
        line = Text.assemble((mark, colour), " ", (each.topic, "bold"), f": {each.means}. → {each.advice}")
        out.print(line, soft_wrap=not out.is_terminal)
