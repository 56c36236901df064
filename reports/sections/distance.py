"""Distance between replicas and stores: latency by round trip, who overtakes whom where, and the relay's own error."""

from collections.abc import Sequence

from authbench.analysis.counted import Levels
from authbench.analysis.estimate import Estimate
from authbench.analysis.findings import Sentence
from authbench.analysis.wording import certainty_of, listed
from authbench.experiments.relay.measures import NO_PRESSURE
from reports.charts.canvas import caption
from reports.charts.distance import latency_chart, slope_chart
from reports.distances import Course, Overtaking, RelayError, courses, overtakings, relay_errors, settings_of
from reports.numbers import DASH, count, ms, whole
from reports.sections.distance_tables import error_table, tables
from reports.sections.distance_words import (
    STORES,
    crossing_text,
    setting_text,
    slope_text,
    span_text,
)
from reports.sections.section import Found, Section, Table

NAME = "distance"
AGREES_WITHIN = 0.05  # of the counted exchanges, or of one where there are none
MOST_ERROR_US, MOST_ERROR_SHARE = 50.0, 0.05  # of the relay's p50, beyond which the section says so


def section(found: Found) -> Section | None:
    """None where no distance was varied, or no strategy has latencies at two distances."""
    groups = [(each, courses(found.manifest.contenders, found.trials, each)) for each in settings_of(found.trials)]
    groups = [(setting, shown) for setting, shown in groups if shown]
    errors = relay_errors(found.observations)
    if not groups:
        return None
    foot = caption(found.manifest)
    sentences: list[Sentence] = []
    shown_tables: list[Table] = []
    charts = []
    for number, (setting, shown) in enumerate(groups):
        where = "" if len(groups) == 1 else f" ({setting_text(setting)})"
        over = overtakings(shown)
        sentences += [*_slopes(shown, where), *_overtaken(shown, over, where), *_apart(shown, where)]
        sentences += _served(shown, where)
        shown_tables += tables(shown, over, where)
        suffix = f"-{number + 1}" if number else ""
        charts += [latency_chart(shown, over, foot, f"distance-latency{suffix}")]
        charts += [slope_chart(shown, foot, f"distance-slope{suffix}")]
    if errors:
        sentences += _erred(errors)
        shown_tables.append(error_table(errors))
    return Section(
        name=NAME,
        title="Distance: what a round trip to the stores costs",
        sentences=tuple(sentences),
        tables=tuple(shown_tables),
        charts=tuple(chart for chart in charts if chart is not None),
        notes=_notes(groups, errors, found.manifest.settings.get("replica", {}).get("threads", DASH)),
    )


def _notes(
    groups: Sequence[tuple[Levels, Sequence[Course]]], errors: Sequence[RelayError], threads: str
) -> tuple[str, ...]:
    rates = sorted({each.rate_rps for _, shown in groups for each in shown})
    rate = ", ".join(f"{each:.0f}" for each in rates)
    told = [
        f"Latencies are of one rate for all strategies and distances ({rate} requests/s), a share of what the slowest "
        "serves at the greatest distance.",
        "The relay adds a fixed time to every exchange, half of it each way, whatever its size: bandwidth, loss and "
        "jitter of a real network are not in it. A new connection's handshake counts as one exchange.",
        f"A replica has {threads} threads, and one waits for as long as a store is asked: far away, throughput can be "
        "no more than threads over latency, however idle the CPU is.",
        "The relay runs on the generator's core where there is one, and its CPU time is charged to no strategy.",
    ]
    if not errors:
        told.append("The relay's own error was not measured in this run.")
    return tuple(told)


def _slopes(shown: Sequence[Course], where: str) -> list[Sentence]:
    fitted = [(each, each.slope) for each in shown if each.slope is not None]
    if not fitted:
        return []
    told = ", ".join(f"{each.strategy} {slope_text(slope)} ({count(each.exchanges)})" for each, slope in fitted)
    text = f"Milliseconds of p50 that each millisecond of round trip costs (exchanges counted){where}: {told}."
    made = [Sentence(text=text, certainty=certainty_of(min(slope.n for _, slope in fitted)))]
    off = [each.strategy for each, slope in fitted if not _agrees(each, slope)]
    text = (
        f"For {listed(off)} slope and count differ by more than {AGREES_WITHIN:.0%}: something else grows with "
        f"distance, or the windows were disturbed{where}."
        if off
        else f"Slopes and counts agree within {AGREES_WITHIN:.0%}: a strategy's latency at a distance can be told from "
        f"its latency here and its exchanges{where}."
    )
    made.append(Sentence(text=text, certainty="open" if off else certainty_of(min(slope.n for _, slope in fitted))))
    return made


def _agrees(course: Course, slope: Estimate) -> bool:
    counted = course.exchanges or 0.0
    return abs(slope.value - counted) <= AGREES_WITHIN * max(counted, 1.0)


def _overtaken(shown: Sequence[Course], over: Sequence[Overtaking], where: str) -> list[Sentence]:
    told = [each for each in over if each.told]
    unsure = [each for each in over if not each.told]
    farthest = max(max(each.p50_ms) for each in shown)
    made = []
    if told:
        text = f"As stores move away{where}: {'; '.join(_overtakes(each) for each in told)}."
        made.append(Sentence(text=text, certainty=certainty_of(min(each.at.n for each in told))))
    if unsure:
        pairs = "; ".join(f"{each.far.strategy} and {each.near.strategy}" for each in unsure)
        text = f"Where these cross, or whether, this run cannot say{where}: {pairs}."
        made.append(Sentence(text=text, certainty="open"))
    if not over and any(each.slope for each in shown):
        repeated = [each.slope.n for each in shown if each.slope is not None]
        text = f"No strategy overtakes another between 0 and {farthest:g} ms{where}: who is faster stays faster."
        made.append(Sentence(text=text, certainty=certainty_of(min(repeated)) if min(repeated) > 1 else "open"))
    return made


def _overtakes(each: Overtaking) -> str:
    start = ", and may be as fast from the start" if each.from_the_start else ""
    return f"{each.far.strategy} overtakes {each.near.strategy} at {crossing_text(each)}{start}"


def _apart(shown: Sequence[Course], where: str) -> list[Sentence]:
    """What a claim read locally is worth against a look-up, near and far."""
    fitted = [each for each in shown if each.line is not None and each.location != "none"]
    alone = [each for each in fitted if each.exchanges == 0]
    asking = [each for each in fitted if each.exchanges]
    if not alone or not asking:
        return []
    near, far = min(fitted[0].p50_ms), max(fitted[0].p50_ms)
    one = min(alone, key=lambda each: each.p50_ms[near].value)
    other = max(asking, key=lambda each: (each.exchanges or 0.0, each.p50_ms[near].value))
    if any(at not in each.p50_ms for each in (one, other) for at in (near, far)):
        return []
    gaps = [(at, other.p50_ms[at].value - one.p50_ms[at].value) for at in (near, far)]
    half = "" if other.half_ms is None else f"; beyond {other.half_ms:.2g} ms it waits more than it works"
    text = (
        f"{other.strategy} is {ms(gaps[0][1])} ms slower than {one.strategy} at {near:g} ms of round trip and "
        f"{ms(gaps[1][1])} ms at {far:g} ms{half}{where}."
    )
    return [
        Sentence(
            text=text, certainty=certainty_of(min(each.p50_ms[at].n for each in (one, other) for at in (near, far)))
        )
    ]


def _served(shown: Sequence[Course], where: str) -> list[Sentence]:
    kept = [each for each in shown if len(each.capacity_rps) > 1]
    if not kept:
        return []
    near, far = min(kept[0].capacity_rps), max(kept[0].capacity_rps)
    both = [each for each in kept if near in each.capacity_rps and far in each.capacity_rps]
    told = [
        f"{each.strategy} {whole(each.capacity_rps[near].value)} → {whole(each.capacity_rps[far].value)}"
        for each in both
    ]
    text = f"Right answers a second, saturated, at {near:g} and at {far:g} ms of round trip{where}: {', '.join(told)}."
    return [Sentence(text=text, certainty=certainty_of(min(each.capacity_rps[far].n for each in both)))] if both else []


def _erred(errors: Sequence[RelayError]) -> list[Sentence]:
    idle = [each for each in errors if each.pressure == NO_PRESSURE]
    own = {each.store: each.error_us["p50"] for each in idle if each.distance_ms == 0}
    told = []
    if own:
        told.append(f"The relay itself costs an exchange {span_text(list(own.values()))} µs (p50), at 0 ms.")
    if own and (others := [each for each in idle if each.distance_ms > 0 and each.store in own]):
        worst = max(others, key=lambda each: abs(each.error_us["p50"] - own[each.store]))
        off = worst.error_us["p50"] - own[worst.store]
        where = f"{STORES.get(worst.store, worst.store)} at {worst.distance_ms:g} ms"
        told.append(f"Beyond that, distances are off by {off:+.0f} µs at most (p50, {where}).")
    late = max(each.late_us["p99"] for each in errors)
    told.append(f"What was due was handed on within {late:.0f} µs (p99) in every case that was timed.")
    early = sum(each.early for each in errors)
    told.append(f"{count(early) if early else 'No'} exchange{'s were' if early != 1 else ' was'} answered early.")
    made = [Sentence(text=" ".join(told), certainty=certainty_of(min(each.launches for each in errors)))]
    if beyond := [each for each in errors if _is_beyond(each)]:
        at: dict[float, list[float]] = {each.distance_ms: [] for each in beyond}
        for each in beyond:
            at[each.distance_ms].append(each.error_us["p50"])
        named = [f"{distance:g} ms ({span_text(off)} µs)" for distance, off in sorted(at.items())]
        text = (
            f"All in all that is more than {MOST_ERROR_US:.0f} µs, or {MOST_ERROR_SHARE:.0%} of the level, at "
            f"{', '.join(named)}: read these distances as that much longer. Slopes come from differences of distances "
            "and do not depend on what all of them share."
        )
        made.append(Sentence(text=text, certainty="open"))
    return made


def _is_beyond(each: RelayError) -> bool:
    error_us = abs(each.error_us["p50"])
    return error_us > MOST_ERROR_US or (each.distance_ms > 0 and error_us > MOST_ERROR_SHARE * each.distance_ms * 1000)
