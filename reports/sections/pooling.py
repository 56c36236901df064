"""What becomes of database connections: for scenarios that vary how replicas serve and how they pool."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from authbench.analysis.connections import DEFAULT_LIMIT, Sizes, Way, turned_away, way_of
from authbench.analysis.estimate import Estimate
from authbench.analysis.findings import Certainty, Sentence
from authbench.analysis.wording import certainty_of
from authbench.records import Contender
from reports.charts.canvas import caption
from reports.charts.pooling import Contestant, Line, cost_chart, held_chart
from reports.numbers import MISSING, count, ms, plus_minus, whole
from reports.sections.pooling_seen import Seen, named, own_limit, sizes_of, ways_seen
from reports.sections.section import Found, Section, Table

KEPT = {
    "new": "a new connection for every request (CONN_MAX_AGE 0)",
    "persistent": "persistent connections (CONN_MAX_AGE 60)",
    "pool": "psycopg's pool",
    "pgbouncer": "PgBouncer in transaction mode",
}
SERVED = {"sync": "gunicorn's sync workers", "threads": "gunicorn's threads", "asgi": "ASGI (uvicorn)"}
IDLE_IN_TRANSACTION = "idle in transaction"
CLOSING = 1.25  # times the formula: a connection counts until PostgreSQL's process for it has ended


def section(found: Found) -> Section | None:
    """None where the scenario does not vary what becomes of connections, or nothing was read."""
    factors = found.manifest.question.factors
    if "pooling" not in factors and "serving" not in factors:
        return None
    sizes = sizes_of(found.manifest)
    seen = ways_seen(found.trials, factors)
    if not seen:
        return None
    names = {each.way: named(each.way, seen) for each in seen}
    contenders = [c for c in found.manifest.contenders if any(c.name in each.windows for each in seen)]
    lines = [
        Line(
            each.way.serving,
            names[each.way],
            each.way.expected(sizes),
            each.peaks(),
            each.estimates("cpu_ms_per_request", "ms"),
            each.estimates("latency_p50_ms", "ms"),
        )
        for each in seen
    ]
    foot, limit = caption(found.manifest), own_limit(found.manifest)
    shown = [Contestant(c.name, c.location, c.freshness) for c in contenders]
    costs = cost_chart(lines, shown, foot)
    return Section(
        name="pooling",
        title="Pooling: what becomes of a database connection after its request",
        sentences=_sentences(seen, sizes, found, names),
        tables=(_held(seen, contenders, sizes, names), _costs(lines, contenders)),
        charts=(held_chart(lines, shown, limit, foot), *([costs] if costs else [])),
        notes=_notes(found, sizes, limit, seen),
    )


def _held(seen: Sequence[Seen], contenders: Sequence[Contender], sizes: Sizes, names: Mapping[Way, str]) -> Table:
    rows = []
    for each in seen:
        expected, (_, most) = each.way.expected(sizes), each.worst()
        peaks = each.peaks()
        idle = [
            trial.database.connections_by_state.get(IDLE_IN_TRANSACTION, 0.0)
            for trials in each.windows.values()
            for trial in trials
            if trial.database
        ]
        opened = each.opened_a_request()
        rows.append(
            (
                names[each.way],
                each.way.formula(sizes),
                whole(expected),
                *(whole(peaks[c.name]) if c.name in peaks else MISSING for c in contenders),
                MISSING if opened is None else f"{opened:.2f}",
                count(fmean(idle)) if idle else MISSING,
                _limit_at(each.way, expected),
                _limit_at(each.way, most),
            )
        )
    head = (
        *("serving · pooling", "formula", "expected"),
        *(contender.name for contender in contenders),
        *("opened a request", IDLE_IN_TRANSACTION, "limit at, by formula", "limit at, by peak"),
    )
    note = (
        f"Peaks over all launches. “limit at”: replicas at which PostgreSQL's default of {DEFAULT_LIMIT} connections "
        "is used up, were each to hold as many; a connection through PgBouncer is its pool's, whatever the replicas. "
        "“opened a request”: of the strategy that opened most."
    )
    return Table("Database connections, peak, against the formula", head, tuple(rows), note)


def _limit_at(way: Way, held: float) -> str:
    if not held or way.pooling == "pgbouncer":
        return "never"
    return whole(max(1, int(DEFAULT_LIMIT / (held / way.replicas))))


def _costs(lines: Sequence[Line], contenders: Sequence[Contender]) -> Table:
    rated = any(line.p50_ms for line in lines)
    head = ["serving · pooling", *(f"{c.name} CPU ms" for c in contenders)]
    head += [f"{c.name} p50 ms" for c in contenders] if rated else []
    rows = []
    for line in lines:
        cells = [plus_minus(line.cpu_ms.get(c.name)) for c in contenders]
        if rated:
            at = [line.p50_ms.get(c.name) for c in contenders]
            cells += [MISSING if each is None else ms(each.value) for each in at]
        rows.append((line.name, *cells))
    note = "CPU of the whole stack, saturated, with half the 95 % interval over launches; only windows that count."
    return Table("What each way costs a request", tuple(head), tuple(rows), note)


def _sentences(seen: Sequence[Seen], sizes: Sizes, found: Found, names: Mapping[Way, str]) -> tuple[Sentence, ...]:
    certainty = certainty_of(found.manifest.question.launches)
    beyond = [each for each in seen if each.worst()[1] > CLOSING * each.way.expected(sizes)]
    within = [each for each in seen if each not in beyond]
    told = [
        Sentence(
            text=f"{len(within)} of {len(seen)} ways to serve and to pool held no more connections than their "
            "formula promises" + (f"; {', '.join(names[each.way] for each in beyond)} held more." if beyond else "."),
            certainty=certainty,
        )
    ]
    told += [_excess(each, seen, sizes, certainty) for each in beyond]
    told += _churn(seen, certainty, names)
    none_held = sorted(
        {name for each in seen for name in each.peaks()} - {n for each in seen for n, p in each.peaks().items() if p}
    )
    if none_held:
        names_held = ", ".join(none_held)
        text = f"{names_held} held none, however served and pooled: such a request asks the database nothing."
        told.append(Sentence(text=text, certainty=certainty))
    if away := turned_away(found.trials):
        ways = ", ".join(dict.fromkeys(f"{t.strategy} ({way_of(t).serving}, {way_of(t).pooling})" for t in away))
        text = (
            f"In {len(away)} windows requests were answered 503, since a store had no connection left: {ways}. "
            "Such windows are not ranked."
        )
        told.append(Sentence(text=text, certainty=certainty))
    return tuple(told)


def _excess(each: Seen, seen: Sequence[Seen], sizes: Sizes, certainty: Certainty) -> Sentence:
    name, most = each.worst()
    expected = each.way.expected(sizes)
    text = (
        f"{SERVED[each.way.serving]} with {KEPT[each.way.pooling]}: {name} held {most} connections with "
        f"{each.way.in_flight} requests in flight, {most / expected:.1f} times the {expected} expected"
    )
    opened = each.opened_a_request()
    if opened is not None:
        text += f", and opened {opened:.2f} for each request"
    mends = [
        f"{KEPT[other.way.pooling]} {other.peaks()[name]}"
        for other in seen
        if (other.way.serving, other.way.replicas, other.way.in_flight)
        == (each.way.serving, each.way.replicas, each.way.in_flight)
        and name in other.peaks()
        and other.peaks()[name] <= CLOSING * other.way.expected(sizes)
    ]
    if mends:
        text += f". The same served with {'; '.join(mends)}"
    return Sentence(text=text + ".", certainty=certainty)


def _churn(seen: Sequence[Seen], certainty: Certainty, names: Mapping[Way, str]) -> list[Sentence]:
    """What a new connection for every request costs, beside keeping it, where both were measured under gunicorn."""
    told = []
    by_way = {each.way: each for each in seen}
    for each in seen:
        kept = by_way.get(Way(each.way.serving, "persistent", each.way.replicas, each.way.in_flight))
        if each.way.pooling != "new" or kept is None or each.way.serving == "asgi":
            continue
        fresh, old = (one.estimates("cpu_ms_per_request", "ms") for one in (each, kept))
        pairs = [(name, fresh[name], old[name]) for name in fresh.keys() & old.keys() if each.peaks().get(name)]
        parts = [
            f"{name} {plus_minus(a)} instead of {plus_minus(b)} ms" for name, a, b in sorted(pairs) if _apart(a, b)
        ]
        if parts:
            text = f"{names[each.way]}: a new connection for every request costs CPU: {', '.join(parts)}."
            told.append(Sentence(text=text, certainty=certainty))
    return told


def _apart(one: Estimate, other: Estimate) -> bool:
    """Whether the intervals do not meet; unknown counts as no."""
    if one.low is None or other.high is None:
        return False
    return one.low > other.high


def _notes(found: Found, sizes: Sizes, limit: int | None, seen: Sequence[Seen]) -> tuple[str, ...]:
    spoilt = [t for each in seen for trials in each.windows.values() for t in trials if not t.valid]
    pools = f"psycopg's pool opens up to {sizes.pool} a process"
    pools += f", PgBouncer up to {sizes.proxied} a database" if sizes.proxied else ""
    notes = [
        f"A replica handles {sizes.workers * sizes.threads} requests at a time under gunicorn: in threads, or under "
        f"`sync` in so many processes; under ASGI as many as come. {pools}.",
        "Under ASGI Django runs every request in a thread made for it. A persistent connection belongs to its thread: "
        "it is never used again, and closes when Python's garbage collector finds it.",
        "One strategy's replicas are counted, on one machine over loopback; how far connections pile up depends on how "
        "often that collector runs, which is a matter of the application's own memory.",
    ]
    if limit:
        notes.append(f"This stack's PostgreSQL lets {limit} connections in, shared by all strategies of a launch.")
    if spoilt:
        total = sum(len(trials) for each in seen for trials in each.windows.values())
        notes.append(
            f"{len(spoilt)} of {total} windows were disturbed by other programs: their connections are read, their CPU "
            "and latency are not."
        )
    notes += [told for told in found.manifest.warnings if told.startswith("not measured")]
    return tuple(notes)
