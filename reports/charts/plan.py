"""A capacity plan's chart: cores, and database connections, against the rate, with the limits that are met."""

import re
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from authbench.analysis.capacity.plan import Planned
from authbench.analysis.capacity.sizing import Fleet
from reports.charts.canvas import CAPTION_IN, Chart, axes, canvas, finish, label, styled
from reports.charts.names import End, name_ends
from reports.palette import FAINT, LIMIT, colour

HOW = (
    "Left: cores of the whole stack that a rate needs while no part is busier than the plan allows. Right: database "
    "connections that the replicas hold, without a pooler (solid) and with one that lends a connection for a "
    "transaction (dotted); a strategy without a line asks the database nothing. The red line is the database's limit: "
    "a solid line that crosses it needs a pooler. Everything right of the windows that were measured is extrapolated; "
    "the fit's error on windows that it did not see stands beside the plan's tables."
)


def plan_chart(planned: Sequence[Planned], places: Mapping[str, str], fleet: Fleet, foot: str) -> Chart:
    """`planned`: strategies of one workload, each with the same rates, two at least. `places`: strategy -> location."""
    workload = planned[0].workload
    title = f"What a rate will need: {label(workload, 60)}"
    busy = f"every part at most {100 * fleet.utilisation:.0f} % busy"
    with styled():
        figure = canvas(title, f"{busy} · less is better", 5.0 + CAPTION_IN, foot)
        cores = axes(figure, 0.07, 0.36, below_in=0.5, above_in=0.95)
        held = axes(figure, 0.55, 0.80, below_in=0.5, above_in=0.95)
        ends = []
        for each in planned:
            hue = colour(each.strategy, places.get(each.strategy, ""))
            rates = [sizing.rps for sizing in each.sizings]
            vcpus = [sizing.total_vcpus for sizing in each.sizings]
            cores.plot(rates, vcpus, color=hue, linewidth=1.8)
            ends.append(End(rates[-1], vcpus[-1], label(each.strategy, 24), hue))
        _scale(cores, "cores of the whole stack (log)")
        name_ends(cores, ends, size=8.5)
        holding = [each for each in planned if any(sizing.connections for sizing in each.sizings)]
        for each in holding:
            hue = colour(each.strategy, places.get(each.strategy, ""))
            rates = [sizing.rps for sizing in each.sizings]
            held.plot(rates, [sizing.connections for sizing in each.sizings], color=hue, linewidth=1.8)
            held.plot(rates, [max(sizing.connections_pooled, 1) for sizing in each.sizings], color=hue, linestyle=":")
        _scale(held, "database connections (log)")
        if holding:
            held.axhline(fleet.max_connections, color=LIMIT, linewidth=1.2)
            told = f"max_connections {fleet.max_connections}"
            held.text(
                0.02, fleet.max_connections * 1.15, told, transform=held.get_yaxis_transform(), color=LIMIT, fontsize=8
            )
            ends = [
                End(
                    each.sizings[-1].rps,
                    each.sizings[-1].connections,
                    label(each.strategy, 24),
                    colour(each.strategy, places.get(each.strategy, "")),
                )
                for each in holding
            ]
            name_ends(held, ends, size=8.5)
        else:
            held.text(0.5, 0.5, "no strategy asks the database", transform=held.transAxes, ha="center", color=FAINT)
        last = planned[0].sizings[-1].rps
        told = "; ".join(
            f"{each.strategy} {each.sizings[-1].total_vcpus:.3g} cores, {each.sizings[-1].connections} connections"
            for each in planned
        )
        name = "plan-" + (re.sub(r"[^a-z0-9]+", "-", workload.lower()).strip("-") or "mix")
        return finish(figure, name, title, f"At {last:,.0f} requests a second: {told}.", HOW)


def _scale(plot: Axes, up: str) -> None:
    plot.set_xscale("log")
    plot.set_yscale("log")
    plot.set_xlabel("requests a second (log)")
    plot.set_ylabel(up)
    plot.grid()
