"""Tables of the distance section: latency, exchanges, crossings, throughput, and the relay's own error."""

from collections.abc import Sequence

from authbench.experiments.relay.measures import NO_PRESSURE
from reports.distances import Course, Overtaking, RelayError
from reports.numbers import DASH, count, ms
from reports.sections.distance_words import (
    crossing_text,
    error_text,
    late_text,
    latency_text,
    rate_text,
    slope_text,
    way_text,
)
from reports.sections.section import Table

LATENCY_NOTE = (
    "p50 from the intended start, ± half the 95 % interval over launches. Every level goes through the relay, 0 too: "
    "what the relay itself costs is in all of them."
)
SLOPE_NOTE = (
    "Slope: milliseconds of p50 for each millisecond of round trip, fitted by repetition, with the 95 % interval over "
    "them. Counted: SQL statements and cache commands a request, as the stores counted them; BEGIN and COMMIT are not "
    "among them. “half is distance from”: beyond that round trip a request waits longer for the way than for all else. "
    "“bend”: how far the p50 farthest from the fitted line is from it."
)
CROSSING_NOTE = (
    "Round trip at which the fitted lines cross, with Fieller's 95 % interval over repetitions; numbers as in the "
    "chart. Pairs that make as many exchanges are not compared: their lines are parallel."
)
CAPACITY_NOTE = "Right answers a second in the closed model; means over launches, ± half the 95 % interval."
ERROR_NOTE = (
    "µs beyond what was set: p50 (p90, p99) of exchanges through the relay, less the p50 of exchanges without it at "
    "the same time and less the distance; all launches together. At 0 it is what the relay itself costs. “handed on "
    "late”: from when bytes were due until the relay passed them on, p99, the most of these columns; the rest of an "
    "error is waking up at either end, of which a busy machine has more."
)


def tables(shown: Sequence[Course], over: Sequence[Overtaking], where: str) -> list[Table]:
    """All of one setting; `where` names it where there are several."""
    distances = sorted({distance for each in shown for distance in each.p50_ms})
    columns = tuple(f"{distance:g} ms" for distance in distances)
    latency = [(each.strategy, *(latency_text(each.p50_ms.get(at)) for at in distances)) for each in shown]
    made = [Table(f"p50 by round trip{where} (ms)", ("strategy", *columns), tuple(latency), LATENCY_NOTE)]
    slopes = [
        (
            each.strategy,
            DASH if each.slope is None else slope_text(each.slope),
            count(each.exchanges) + ("" if each.agree else " †"),
            ms(None if each.at_zero_ms is None else each.at_zero_ms.value),
            DASH if each.half_ms is None else f"{each.half_ms:.2f} ms",
            ms(each.bend_ms),
        )
        for each in shown
    ]
    head = ("strategy", "slope (ms/ms)", "counted", "at 0 (ms)", "half is distance from", "bend (ms)")
    differing = "" if all(each.agree for each in shown) else " † not the same in every window: the mean."
    made.append(Table(f"Exchanges a request, seen and counted{where}", head, tuple(slopes), SLOPE_NOTE + differing))
    if over:
        crossed = [
            (
                f"{number} {each.far.strategy}",
                each.near.strategy,
                crossing_text(each) if each.told else f"{each.at.at_ms:.2f} ms (open)",
            )
            for number, each in enumerate(over, start=1)
        ]
        who = ("overtakes", "overtaken", "round trip")
        made.append(Table(f"Who overtakes whom{where}", who, tuple(crossed), CROSSING_NOTE, numeric=False))
    if any(each.capacity_rps for each in shown):
        served = [(each.strategy, *(rate_text(each.capacity_rps.get(at)) for at in distances)) for each in shown]
        made.append(
            Table(f"Right answers a second, saturated{where}", ("strategy", *columns), tuple(served), CAPACITY_NOTE)
        )
    return made


def error_table(errors: Sequence[RelayError]) -> Table:
    """A row a distance, a column for each store and what others did meanwhile."""
    ways = sorted({(each.store, each.pressure) for each in errors}, key=lambda way: (way[1] != NO_PRESSURE, way))
    by_cell = {(each.distance_ms, each.store, each.pressure): each for each in errors}
    head = ("set to", *(way_text(*way) for way in ways), "handed on late")
    rows = [
        (
            f"{distance:g} ms",
            *(error_text(by_cell.get((distance, *way))) for way in ways),
            late_text([each for each in errors if each.distance_ms == distance]),
        )
        for distance in sorted({each.distance_ms for each in errors})
    ]
    return Table("The relay's own error (µs)", head, tuple(rows), ERROR_NOTE)
