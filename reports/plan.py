"""A capacity plan in a terminal, as JSON, and as charts."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from authbench.analysis.capacity.plan import CapacityPlan, Planned
from authbench.analysis.capacity.sizing import Sizing
from authbench.journal import write_whole
from authbench.records import Manifest
from authbench.terminal import shown
from reports.charts.canvas import caption
from reports.charts.plan import plan_chart
from reports.numbers import MISSING, percent, whole

PLAN_FILE = "plan.json"
MOST_CROSSINGS = 12


def write_plan(folder: Path, manifest: Manifest, plan: CapacityPlan) -> list[Path]:
    """plan.json and a chart a workload beside it, in the result folder; returns what was written.

    Not among the report's charts: the next build takes away what it has not drawn itself.
    """
    written = {folder / PLAN_FILE: (plan.model_dump_json(indent=1) + "\n").encode()}
    places = {contender.name: contender.location for contender in manifest.contenders}
    for workload in _workloads(plan):
        of = [each for each in plan.planned if each.workload == workload and each.sizings]
        if of and len(of[0].sizings) > 1:
            chart = plan_chart(of, places, plan.fleet, caption(manifest))
            written |= {folder / f"{chart.name}.svg": chart.svg, folder / f"{chart.name}.png": chart.png}
    for path, content in written.items():
        write_whole(path, content)
    return list(written)


def print_plan(plan: CapacityPlan, console: Console) -> None:
    """A table a workload, what gives out first, where strategies cross, and how far the fit can be trusted."""
    for workload in _workloads(plan):
        of = [each for each in plan.planned if each.workload == workload]
        console.print(_table(workload, of), highlight=False)
        console.print(_limits(of), highlight=False)
    money = "" if plan.prices is None else f"; {plan.prices.currency} a month by {shown(plan.prices.source)}"
    console.print(
        f"Cells: replicas / database connections without a pooler (with one){money}. "
        f"! beyond {plan.fleet.max_connections} connections or {plan.fleet.database_vcpus:g} cores of one database. "
        f"Every part at most {100 * plan.fleet.utilisation:.0f} % busy; "
        f"a vCPU is a core like that of: {shown(plan.machine)}.",
        highlight=False,
    )
    for crossing in plan.crossings[:MOST_CROSSINGS]:
        console.print(
            f"{shown(crossing.workload)}: beyond {whole(crossing.rps)} requests/s "
            f"{shown(crossing.cheaper_above)} needs less than {shown(crossing.cheaper_below)} "
            f"({crossing.what}).",
            highlight=False,
        )
    _print_trust(plan, console)


def _table(workload: str, planned: Sequence[Planned]) -> Table:
    table = Table(title=f"\nCapacity plan: {shown(workload)}", title_justify="left")
    table.add_column("strategy", no_wrap=True)
    table.add_column("requests/s\na vCPU", justify="right")
    rates = next((each.sizings for each in planned if each.sizings), ())
    for sizing in rates:
        table.add_column(f"{whole(sizing.rps)}/s", justify="right", no_wrap=True)
    for each in planned:
        cells = [_cell(sizing) for sizing in each.sizings] or [MISSING] * len(rates)
        table.add_row(shown(each.strategy), whole(each.per_vcpu_rps), *cells)
    return table


def _cell(sizing: Sizing) -> str:
    text = f"{whole(sizing.replicas)} / {whole(sizing.connections)}{'' if sizing.fits else '!'}"
    if sizing.connections:
        text += f" ({whole(sizing.connections_pooled)}{'' if sizing.fits_pooled else '!'})"
    return text if sizing.cost_per_month is None else f"{text}\n{whole(sizing.cost_per_month)}"


def _limits(planned: Sequence[Planned]) -> Table:
    table = Table("strategy", "gives out first", "at", "then", "at", title="What cannot be multiplied")
    table.title_justify = "left"
    for each in planned:
        if each.believed:
            parts = [(limit.part, f"{whole(limit.rps)}/s") for limit in each.limits[:2]]
            parts += [("nothing measured", MISSING)] * (2 - len(parts))
            table.add_row(shown(each.strategy), *parts[0], *parts[1])
        else:
            table.add_row(shown(each.strategy), f"[yellow]not extrapolated:[/] {each.why_not}", "", "", "")
    return table


def _print_trust(plan: CapacityPlan, console: Console) -> None:
    if not plan.held_out:
        console.print(f"Fitted on {', '.join(plan.fitted_on)}; nothing was held out.", highlight=False)
        return
    table = Table("what", "at", "windows", "median error", "worst", title="The fit on windows that it did not see")
    table.title_justify = "left"
    for what in dict.fromkeys(each.what for each in plan.held_out):
        for load in dict.fromkeys(each.load for each in plan.held_out if each.what == what):
            errors = sorted((each.error for each in plan.held_out if (each.what, each.load) == (what, load)), key=abs)
            table.add_row(what, load, str(len(errors)), _signed(errors[len(errors) // 2]), _signed(errors[-1]))
    console.print(table, highlight=False)
    console.print(f"Fitted on {', '.join(plan.fitted_on)}; tried on {', '.join(plan.tried_on)}.", highlight=False)


def _signed(error: float) -> str:
    return f"{'+' if error > 0 else '-'}{percent(abs(error))}"


def _workloads(plan: CapacityPlan) -> list[str]:
    return list(dict.fromkeys(each.workload for each in plan.planned))
