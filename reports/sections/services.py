"""Services that call each other: what each way to check the caller asks of the auth tier, and what a hop costs."""

from collections.abc import Callable, Sequence

from authbench.analysis.estimate import Estimate
from authbench.analysis.findings import Certainty, Sentence
from authbench.analysis.services import PARTS, Course, Seen, courses
from authbench.analysis.wording import certainty_of
from authbench.experiments.services.measures import (
    AUTH_CALLS,
    CPU,
    DATABASE_CONNECTIONS,
    EXACT,
    HEADER_BYTES,
    KEPT,
    KIND,
    OPENED,
    STATEMENTS,
)
from reports.charts.canvas import caption
from reports.charts.services import added, calls_chart, latency_chart
from reports.numbers import MISSING, count, half_width, ms, plus_minus
from reports.sections.section import Found, Section, Table

WAYS = {
    "session": "every service looks the session and the user up in the auth database",
    "introspection": "every service asks the auth service about the token",
    "forwarded-jwt": "the user's token goes on, every service verifies it",
    "exchanged-jwt": "the gateway exchanges the user's token for a narrower one, every service verifies that",
    "edge-header": "the gateway verifies the user's token and signs a header, every service verifies that",
}
WAYS_NOTE = (
    "Of the longest chain. Calls: SQL statements by services, or requests to the auth service; statements: at the auth "
    "database, whoever sent them. Bytes: the header lines of a request from one process to the next, mean of all hops. "
    "Added and CPU: ± half the 95 % interval over launches; “added CPU” is of the whole stack. DB connections: held at "
    "the most; opened: connections between services, opened in the windows of any topology and launch, at the most."
)


def section(found: Found) -> Section | None:
    """None where the experiment was not run, or nothing of it counts."""
    shown = courses(found.observations)
    if not shown:
        return None
    foot = caption(found.manifest)
    charts = (calls_chart(shown, foot), latency_chart(shown, foot))
    return Section(
        name=KIND,
        title="Services that each check the caller",
        sentences=(*_calls(shown), *_bytes(shown), *_added(shown)),
        tables=_tables(shown),
        charts=tuple(chart for chart in charts if chart is not None),
        notes=_notes(shown, found),
    )


# Sentences


def _calls(shown: Sequence[Course]) -> list[Sentence]:
    told = []
    for course in shown:
        calls = course.calls
        topologies = len(course.seen)
        if calls is None:
            longest = course.longest
            text = (
                f"{course.checking}: {count(longest.count(AUTH_CALLS))} auth-tier calls a user request at "
                f"{longest.topology}; the topologies measured do not lie on one line."
            )
            told.append(Sentence(text=text, certainty="open"))
            continue
        a_service, a_request = calls
        parts = [f"{count(a_service)} for each service"] if a_service else []
        parts += [f"{count(a_request)} whatever the number of services"] if a_request else []
        text = (
            f"{course.checking}: auth-tier calls a user request: {' and '.join(parts) or 'none'} (exact at all "
            f"{topologies} topologies)."
        )
        told.append(Sentence(text=text, certainty=_counted(course)))
    return told


def _bytes(shown: Sequence[Course]) -> list[Sentence]:
    known = [(course, course.longest.count(HEADER_BYTES)) for course in shown]
    listed = [f"{course.checking} {count(size)}" for course, size in known if size is not None]
    if not listed:
        return []
    text = f"Bytes of request headers from one service to the next: {', '.join(listed)}."
    agreed = [_counted(course) for course, size in known if size is not None]
    return [Sentence(text=text, certainty="firm" if set(agreed) == {"firm"} else "tentative")]


def _added(shown: Sequence[Course]) -> list[Sentence]:
    """Latency, then CPU; of each, what is told apart from nothing, then what is not."""
    told = _adds("median latency", [(each.checking, each.added_ms) for each in shown])
    told += _adds("CPU of the whole stack", [(each.checking, each.added_cpu_ms) for each in shown])
    if not any(course.added_ms for course in shown):
        text = "What a hop adds in time cannot be said: too few windows without a disturbance."
        told.append(Sentence(text=text, certainty="open"))
    return told


def _adds(what: str, costs: Sequence[tuple[str, Estimate | None]]) -> list[Sentence]:
    known = [(checking, cost) for checking, cost in costs if cost is not None]
    sure = [(checking, cost) for checking, cost in known if cost.excludes(0)]
    unsure = [f"{checking} {added(cost)}" for checking, cost in known if not cost.excludes(0)]
    told = []
    if sure:
        listed = ", ".join(f"{checking} {added(cost)}" for checking, cost in sure)
        text = f"One more service in a chain adds to the {what}: {listed}."
        told.append(Sentence(text=text, certainty=certainty_of(min(cost.n for _, cost in sure))))
    if unsure:
        text = f"Added to the {what}, not told apart from nothing by these launches: {', '.join(unsure)}."
        told.append(Sentence(text=text, certainty="open"))
    return told


def _counted(course: Course) -> Certainty:
    """Counts are exact; what is left open is whether every launch saw the same."""
    if any(each.differing for each in course.seen):
        return "open"
    return certainty_of(min(each.launches for each in course.seen))


# Tables


def _tables(shown: Sequence[Course]) -> tuple[Table, ...]:
    return (
        _ways(shown),
        _by_topology("Auth-tier calls a user request", shown, _calls_cell, "Exact; † launches differ, the most shown."),
        _by_topology("Median latency (ms)", shown, _latency_cell, "± half the 95 % interval. ‡ under 100 requests."),
        _by_topology(
            "CPU a user request (ms)", shown, _cpu_cell, "Whole stack, closed model; ± half the 95 % interval."
        ),
        _parts(shown),
    )


def _ways(shown: Sequence[Course]) -> Table:
    rows = []
    for course in shown:
        longest = course.longest
        rows.append(
            (
                course.checking,
                longest.topology,
                *(count(longest.count(measure)) for measure in (AUTH_CALLS, STATEMENTS, HEADER_BYTES)),
                added(course.added_ms).removesuffix(" ms") or MISSING,
                plus_minus(course.added_cpu_ms),
                plus_minus(longest.cpu),
                count(longest.most.get(DATABASE_CONNECTIONS.name)),
                count(_opened(course)),
            )
        )
    head = (
        "checking",
        "at",
        "auth calls",
        "statements",
        "bytes a hop",
        "added ms a service",
        "added CPU ms",
        "CPU ms",
        "DB connections",
        "opened",
    )
    return Table("What each way asks", head, tuple(rows), WAYS_NOTE)


def _opened(course: Course) -> float | None:
    return max((each.most[OPENED.name] for each in course.seen if OPENED.name in each.most), default=None)


def _by_topology(title: str, shown: Sequence[Course], cell: Callable[[Seen], str], note: str) -> Table:
    order = {each.topology: (not each.is_chain, each.services) for course in shown for each in course.seen}
    topologies = sorted(order, key=lambda topology: order[topology])
    rows = []
    for course in shown:
        cells = {each.topology: cell(each) for each in course.seen}
        rows.append((course.checking, *(cells.get(topology, MISSING) for topology in topologies)))
    return Table(title, ("checking", *topologies), tuple(rows), note)


def _calls_cell(seen: Seen) -> str:
    return count(seen.count(AUTH_CALLS)) + (" †" if AUTH_CALLS.name in seen.differing else "")


def _latency_cell(seen: Seen) -> str:
    if seen.p50 is None:
        return MISSING
    value, half = seen.p50.value.value, half_width(seen.p50.value)
    about = "" if half is None else f" ± {ms(half)}" if half <= value else " ± over 100 %"
    return ms(value) + about + ("" if seen.p50.supported else " ‡")


def _cpu_cell(seen: Seen) -> str:
    return plus_minus(seen.cpu)


def _parts(shown: Sequence[Course]) -> Table:
    """Whose the CPU is."""
    rows = tuple(
        (course.checking, *(ms(course.longest.parts.get(measure.name)) for measure in PARTS)) for course in shown
    )
    head = ("checking", "gateway", "services", "auth service", "database")
    note = "Of the longest chain; means over launches that count."
    return Table(f"{CPU.label}, by whom (ms)", head, rows, note)


# Notes


def _notes(shown: Sequence[Course], found: Found) -> tuple[str, ...]:
    told = [f"{course.checking}: {WAYS[course.checking]}." for course in shown if course.checking in WAYS]
    told.append(
        "Every request was answered right only if each service on its way named the same caller, in the right place; "
        "the answer's bytes were known beforehand. A gateway stands before the first service in every way and counts "
        "as no service."
    )
    kept = max((each.most.get(KEPT.name, 0.0) for course in shown for each in course.seen), default=0.0)
    told.append(f"Services are processes that talk HTTP over kept connections: at most {count(kept)} to one of them.")
    labels = {each.name: each.label for each in EXACT}
    differing = {(course.checking, labels[name]) for course in shown for each in course.seen for name in each.differing}
    told += [f"Not the same at every launch: {checking}, {label}." for checking, label in sorted(differing)]
    disturbed = sum(1 for each in found.observations if each.kind == KIND and each.reasons)
    if disturbed:
        told.append(f"{disturbed} observations were disturbed: their times do not count, their exact counts do.")
    told.append(
        "All processes share the cores of this machine, so that a fan-out's services hardly work at once here, "
        "and loopback adds no distance: between machines every hop, and every call, costs a round trip more."
    )
    return tuple(told)
