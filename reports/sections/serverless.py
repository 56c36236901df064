"""The application as a function: cold starts, frozen instances, and the connections that they hold."""

from collections.abc import Sequence
from math import fsum

from authbench.analysis.bootstrap import FEWEST_LAUNCHES
from authbench.analysis.connections import DEFAULT_LIMIT
from authbench.analysis.findings import Certainty, Sentence
from authbench.analysis.serverless import KIND, Burst, Counted, Functions, functions
from authbench.analysis.wording import certainty_of, listed
from authbench.experiments.serverless.measures import CONNECTION, IMPORT, KEYS
from authbench.observed import Observation
from reports.charts.canvas import caption, styled
from reports.charts.serverless import THREADS, cold_chart, held_chart
from reports.numbers import count, ms, plus_minus
from reports.sections.section import Found, Section
from reports.sections.serverless_tables import tables_of, whole_ms

NETWORK = (CONNECTION.name, KEYS.name)
NOTES = (
    "AWS's own runtime client (awslambdaric) runs the shop behind apig-wsgi; the bench serves the runtime API's "
    "published protocol and sends what API Gateway's payload 2.0 holds. Each instance is a process with one request "
    "at a time, stopped (SIGSTOP) as soon as it asks for the next event and continued with that event.",
    "A cold start begins with Python's own start. What AWS does before it (a micro-VM, loading the code) is not here, "
    "no memory or CPU limit slows it down, and compiled modules are in the page cache: real ones are longer.",
    "Nobody looks at CONN_MAX_AGE while an instance is frozen: what it holds stays open at the database, however long.",
    "Held connections are those of the instances; an auth service's own are not among them.",
    "Phases are each moment's innermost: modules that Django, or the first request, loads count as importing.",
    "All on one machine over loopback: a connection or a fetch of keys takes no time on a wire here.",
)


def section(found: Found) -> Section | None:
    """None where no function was observed."""
    shown = functions(found.manifest, found.observations)
    if not shown:
        return None
    foot = caption(found.manifest)
    with styled():
        charts = (cold_chart(shown, foot), held_chart(shown, foot))
    return Section(
        name=KIND,
        title="As a function: cold starts and frozen instances",
        sentences=(*_starts(shown), *_warmth(shown), *_held(shown), *_keys(shown), *_ended(shown)),
        tables=tables_of(shown),
        charts=tuple(chart for chart in charts if chart is not None),
        notes=(*_disturbed(found.observations), *_disagreeing(shown), *NOTES),
    )


# Sentences


def _starts(shown: Sequence[Functions]) -> list[Sentence]:
    timed = [(each, each.cold_ms) for each in shown if each.cold_ms is not None]
    if not timed:
        text = "How long cold starts take cannot be said: other processes used the stack's cores in every one of them."
        return [Sentence(text=text, certainty="open")]
    told = ", ".join(f"{each.strategy} {whole_ms(cold)}" for each, cold in timed)
    loading = [each.phases_ms[IMPORT.name].value / cold.value for each, cold in timed if IMPORT.name in each.phases_ms]
    lowest, highest = round(100 * min(loading)), round(100 * max(loading))
    share = f"{lowest} %" if lowest == highest else f"{lowest} to {highest} %"
    fewest = min(cold.n for _, cold in timed)
    found = [Sentence(text=f"A cold start: {told}; {share} of it imports modules.", certainty=certainty_of(fewest))]
    first = [(each.strategy, each.first_ms) for each in shown if each.first_ms is not None]
    told = ", ".join(f"{name} {whole_ms(took)}" for name, took in first)
    text = f"The first request of a new instance, from the event to the answer: {told}; what it imports is part of it."
    found.append(Sentence(text=text, certainty=certainty_of(fewest)))
    own = {
        each.strategy: fsum(part.value for name, part in each.phases_ms.items() if name in NETWORK) for each, _ in timed
    }
    if any(own.values()):
        spent = ", ".join(f"{name} {ms(value)} ms" for name, value in own.items() if value)
        text = f"Of it, what a strategy does over the network at a first request (connections, keys): {spent}."
        found.append(Sentence(text=text, certainty=certainty_of(fewest)))
    return found


def _warmth(shown: Sequence[Functions]) -> list[Sentence]:
    told, fewest = [], FEWEST_LAUNCHES
    for each in shown:
        ages = sorted(each.warm)
        closed, kept = each.warm[ages[0]], each.warm[ages[-1]]
        if ages[0] == 0 < ages[-1] and closed.opened.value and closed.cpu_ms and kept.cpu_ms:
            told.append(f"{each.strategy} {plus_minus(closed.cpu_ms)} instead of {plus_minus(kept.cpu_ms)} ms")
            fewest = min(fewest, closed.cpu_ms.n, kept.cpu_ms.n)
    if not told:
        return []
    text = f"With CONN_MAX_AGE 0 every request opens a connection, which costs an instance CPU: {', '.join(told)}."
    return [Sentence(text=text, certainty=certainty_of(fewest))]


def _held(shown: Sequence[Functions]) -> list[Sentence]:
    longest = max(age for each in shown for age in each.bursts)
    holding = [each for each in shown if each.held_each]
    free = [each.strategy for each in shown if not each.held_each]
    counts = [burst for each in shown for burst in _bursts(each)]
    certainty = _exact(shown, counts)
    found = []
    if holding:
        each_holds = ", ".join(f"{each.strategy} {count(each.held_each)}" for each in holding)
        without = f"; no connection: {listed(free)}" if free else ""
        most = max(holding, key=lambda each: each.held_each)
        text = (
            f"Database connections that every frozen instance goes on holding (CONN_MAX_AGE {longest}): {each_holds}"
            f"{without}. PostgreSQL's default of {DEFAULT_LIMIT} is used up by {int(DEFAULT_LIMIT / most.held_each)} "
            f"instances of {most.strategy}, whether they work or not; a replica with {THREADS} threads holds at most "
            f"{THREADS}, whatever arrives."
        )
        found.append(Sentence(text=text, certainty=certainty))
    else:
        found.append(Sentence(text="No frozen instance holds a database connection.", certainty=certainty))
    if longest and all(0 in each.bursts for each in holding) and holding:
        at_zero = [burst.held.value for each in holding for burst in each.bursts[0].values()]
        text = (
            "With CONN_MAX_AGE 0 frozen instances hold no connection to the database."
            if not any(at_zero)
            else f"With CONN_MAX_AGE 0 frozen instances still hold up to {count(max(at_zero))} connections."
        )
        found.append(Sentence(text=text, certainty=certainty))
    return found


def _keys(shown: Sequence[Functions]) -> list[Sentence]:
    """Auth services: asked once an instance, or at every request."""
    told = []
    for each in shown:
        warm = each.warm[max(each.warm)].calls
        if each.cold_calls.value or warm.value:
            told.append(f"{each.strategy} {count(each.cold_calls.value)} and {count(warm.value)}")
    if not told:
        return []
    text = f"Calls of its auth service at a cold start, and at a warm request: {', '.join(told)}."
    counts = [each.cold_calls for each in shown] + [warm.calls for each in shown for warm in each.warm.values()]
    return [Sentence(text=text, certainty=_agreed(shown, counts))]


def _ended(shown: Sequence[Functions]) -> list[Sentence]:
    tried = [each for each in shown if {"off", "on"} <= each.ended.keys()]
    if not tried:
        return []
    counts = [one for each in tried for way in each.ended.values() for one in (way.status, way.next_status)]
    off = sorted({round(each.ended["off"].status.value) for each in tried})
    on = sorted({round(each.ended["on"].status.value) for each in tried})
    text = (
        "When PostgreSQL has ended a frozen instance's connection (idle_session_timeout), the first request after the "
        f"thaw is answered {listed(list(map(str, off)))}; with Django's CONN_HEALTH_CHECKS it is answered "
        f"{listed(list(map(str, on)))} ({listed([each.strategy for each in tried])})."
    )
    return [Sentence(text=text, certainty=_agreed(tried, counts))]


# Notes and words


def _disturbed(observations: Sequence[Observation]) -> list[str]:
    own = [each for each in observations if each.kind == KIND]
    uncounted = sum(1 for each in own if each.reasons)
    if not uncounted:
        return []
    return [f"{uncounted} of {len(own)} observations were disturbed: their counts count, their times and CPU do not."]


def _disagreeing(shown: Sequence[Functions]) -> list[str]:
    names = [each.strategy for each in shown if not all(one.agree for one in _counts(each))]
    return [f"Counts that were not the same at every launch († the last is shown): {listed(names)}."] if names else []


def _counts(each: Functions) -> list[Counted]:
    warm = [one for way in each.warm.values() for one in (way.statements, way.commands, way.calls, way.opened)]
    bursts = [one for burst in _bursts(each) for one in _of_burst(burst)]
    ended = [one for way in each.ended.values() for one in (way.held_before, way.held_after, way.status)]
    return [each.cold_calls, *warm, *bursts, *ended]


def _bursts(each: Functions) -> list[Burst]:
    return [burst for of in each.bursts.values() for burst in of.values()]


def _of_burst(burst: Burst) -> tuple[Counted, ...]:
    return (burst.instances, burst.cold_starts, burst.most_at_once, burst.held, burst.held_cache)


def _exact(shown: Sequence[Functions], bursts: Sequence[Burst]) -> Certainty:
    return _agreed(shown, [one for burst in bursts for one in (burst.instances, burst.held)])


def _agreed(shown: Sequence[Functions], counts: Sequence[Counted]) -> Certainty:
    """Of counts: open where launches disagree."""
    return certainty_of(min(each.launches for each in shown)) if all(one.agree for one in counts) else "open"
