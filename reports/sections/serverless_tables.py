"""The tables of the section on functions."""

from collections.abc import Callable, Sequence

from authbench.analysis.estimate import Estimate
from authbench.analysis.serverless import Counted, Functions
from authbench.experiments.serverless.measures import CONNECTION, DJANGO, IMPORT, INTERPRETER, KEYS, REQUEST
from reports.numbers import DASH, MISSING, count, half_width, ms, plus_minus
from reports.sections.section import Table


def tables_of(shown: Sequence[Functions]) -> tuple[Table, ...]:
    """Cold starts, warm requests, what is held, and what an ended connection costs where that was tried."""
    tables = [_cold_table(shown), _warm_table(shown), _held_table(shown)]
    if any(each.ended for each in shown):
        tables.append(_ended_table(shown))
    return tuple(tables)


def _cold_table(shown: Sequence[Functions]) -> Table:
    phases = (INTERPRETER, IMPORT, DJANGO, CONNECTION, KEYS, REQUEST)
    rows = []
    for each in shown:
        parts = (_value_ms(each.phases_ms.get(phase.name)) for phase in phases)
        rest = (_whole(each.cold_cpu_ms), _value_ms(each.first_ms), _whole(each.resident_mb))
        rows.append((each.strategy, _whole(each.cold_ms), *parts, *rest))
    head = (
        *("strategy", "cold start", "interpreter", "import", "Django", "connections", "keys", "request"),
        *("CPU", "first request", "memory (MB)"),
    )
    note = (
        "Milliseconds, ± half the 95 % interval over launches. The phases from interpreter to request add up to the "
        "cold start; “first request” runs from the event's hand-over, modules that it is first to load included. "
        f"{DASH}: there is none, or it does not count."
    )
    return Table("Cold start of an instance", head, tuple(rows), note)


def _warm_table(shown: Sequence[Functions]) -> Table:
    ages = sorted({age for each in shown for age in each.warm})
    rows = []
    for each in shown:
        cells: list[str] = []
        for of in (_of_p50, _of_cpu, _of_opened):
            cells += [of(each, age) for age in ages]
        kept = each.warm[max(each.warm)]
        counts = (_cell(kept.statements), _cell(kept.commands), _cell(kept.calls))
        rows.append((each.strategy, *cells, *counts))
    head = (
        "strategy",
        *(f"{name}, {age} s" for name in ("median", "CPU", "opened") for age in ages),
        *("SQL", "cache", "auth calls"),
    )
    note = (
        "A request at a time to one instance, thawed for each: median and CPU in milliseconds (CPU of the instance "
        "alone), “opened” the database connections a request, each at the CONN_MAX_AGE named."
    )
    return Table("Warm requests", head, tuple(rows), note)


def _of_p50(each: Functions, age: int) -> str:
    return _value_ms(each.warm[age].p50_ms) if age in each.warm else MISSING


def _of_cpu(each: Functions, age: int) -> str:
    return plus_minus(each.warm[age].cpu_ms) if age in each.warm else MISSING


def _of_opened(each: Functions, age: int) -> str:
    return _cell(each.warm[age].opened) if age in each.warm else MISSING


def _held_table(shown: Sequence[Functions]) -> Table:
    bursts = sorted({n for each in shown for of in each.bursts.values() for n in of})
    rows = []
    for each in shown:
        for age, of in each.bursts.items():
            most = of[max(of)]
            held = (_cell(of[n].held) if n in of else MISSING for n in bursts)
            rest = (_cell(most.held_cache), _cell(most.instances), _cell(most.most_at_once), _value_ms(most.slowest_ms))
            rows.append((f"{each.strategy}, {age} s", *held, *rest))
    head = (
        "strategy, CONN_MAX_AGE",
        *(f"{n} at once" for n in bursts),
        *("to the cache", "instances", "requests in one", "slowest (ms)"),
    )
    note = (
        "Database connections held when a burst of so many requests has been answered and all instances stand still; "
        f"the last four columns are of the burst of {max(bursts)}, whose new instances started together on the "
        "stack's cores."
    )
    return Table("Connections held by frozen instances", head, tuple(rows), note)


def _ended_table(shown: Sequence[Functions]) -> Table:
    rows = []
    for each in shown:
        for checks, way in each.ended.items():
            held = f"{_cell(way.held_before)} → {_cell(way.held_after)}"
            statuses = (_cell(way.status), _value_ms(way.first_ms), _cell(way.next_status))
            rows.append((f"{each.strategy}, {checks}", held, *statuses))
    head = ("strategy, health checks", "connections", "first request", "took (ms)", "the next")
    return Table("When the database ends a frozen instance's connection", head, tuple(rows))


def _cell(counted: Counted) -> str:
    return f"{count(counted.value)}{'' if counted.agree else ' †'}"


def _value_ms(estimate: Estimate | None) -> str:
    return _with(estimate, ms)


def whole_ms(estimate: Estimate | None) -> str:
    """`412 ± 8 ms`."""
    told = _whole(estimate)
    return told if estimate is None else f"{told} ms"


def _whole(estimate: Estimate | None) -> str:
    return _with(estimate, lambda value: f"{value:.0f}")


def _with(estimate: Estimate | None, word: Callable[[float], str]) -> str:
    if estimate is None:
        return MISSING
    half = half_width(estimate)
    return word(estimate.value) if half is None else f"{word(estimate.value)} ± {word(half)}"
