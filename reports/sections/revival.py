"""Revival: which ended logins come back, by a fault, by a race, or because their logout broke off."""

from collections import Counter
from collections.abc import Sequence

from authbench.analysis.findings import Sentence
from authbench.analysis.revival import KIND, After, Stopped, after_events, stopped
from authbench.analysis.wording import certainty_of
from authbench.experiments.revival import measures
from authbench.experiments.revival.plan import EVENTS
from authbench.observed import Measure
from reports.numbers import MISSING
from reports.sections.revival_words import (
    broken_off,
    ends_everything,
    ends_nothing,
    of,
    outlived,
    overtaken,
    renewed,
    undone_by_cache,
    undone_by_crash,
    used_twice,
)
from reports.sections.section import Found, Section, Table

NOTES = (
    "A copy of the credential is made before its owner logs out. It counts as accepted where any replica lets it in. "
    "An outage is no answer, and is asked again. Where a logout ends the refresh token alone, it tries to refresh.",
    "Races are made, not waited for: one replica reaches its stores through the relay, which keeps each exchange back "
    "before the store has seen it. With the n-th one held, the logout is sent to the other replica and answered; then "
    "the request goes on. Where the logout waits for a row that the request has locked, the database puts it second.",
    "session-file has no exchange that could be held: its window lies between two calls of one process, so that its "
    "logouts are sent at random moments of the request.",
    "This stack runs PostgreSQL with fsync and synchronous_commit off. With synchronous_commit on, a killed server "
    "loses nothing that it acknowledged; a power cut still would, since fsync stays off.",
    "The contract has no change of password and no logout everywhere: no race with these was tried.",
)


def section(found: Found) -> Section | None:
    """None where the records hold no observation of this kind."""
    own = [row for row in found.observations if row.kind == KIND]
    if not own:
        return None
    after = after_events(own)
    races, pairs, halves = (stopped(own, part) for part in ("race", "twice", "half"))
    return Section(
        name=KIND,
        title="Revival: logins that come back",
        sentences=tuple(_sentences(after, races, pairs, halves)),
        tables=tuple(
            table
            for table in (_after_table(after), _race_table(races), _pair_table(pairs), _half_table(halves))
            if table.rows
        ),
        charts=(),
        notes=(*NOTES, *_uncounted(found, (*races, *pairs, *halves))),
    )


def _sentences(
    after: Sequence[After], races: Sequence[Stopped], pairs: Sequence[Stopped], halves: Sequence[Stopped]
) -> list[Sentence]:
    told = [
        *((text(after), _fewest(after)) for text in (ends_everything, ends_nothing, undone_by_cache, undone_by_crash)),
        *((text(races), _least(races)) for text in (overtaken, renewed, outlived)),
        (used_twice(pairs), _least(pairs)),
        (broken_off(halves), _least(halves)),
    ]
    return [Sentence(text=text, certainty=certainty_of(launches)) for text, launches in told if text]


def _fewest(after: Sequence[After]) -> int:
    return min((each.counts.launches for each in after), default=0)


def _least(rows: Sequence[Stopped]) -> int:
    return min((each.launches for each in rows), default=0)


def _after_table(after: Sequence[After]) -> Table:
    order: dict[str, int] = {event: place for place, event in enumerate(EVENTS)}
    rows = sorted(after, key=lambda each: (each.strategy, order.get(each.event, len(order))))
    return Table(
        title="Logged out, then a fault: what is accepted again",
        head=(
            "strategy",
            "event",
            "answered 200",
            "accepted again",
            "oldest (ms)",
            "cookie dropped",
            "others still in",
        ),
        rows=tuple(
            (
                each.strategy,
                "nothing" if each.event == "none" else each.event,
                of(each.counts.of(measures.ACKNOWLEDGED), each.counts.of(measures.LOGOUTS)),
                of(each.revived, each.counts.of(measures.ACKNOWLEDGED)),
                MISSING if each.oldest_ms is None else f"{each.oldest_ms:.1f}",
                str(each.counts.of(measures.FORGOTTEN)) if each.revived else MISSING,
                of(each.counts.of(measures.OTHERS_IN), each.counts.of(measures.OTHERS)),
            )
            for each in rows
        ),
        note="Counts over all launches. accepted again: of logouts that were answered 200; oldest: from the answer of "
        "the earliest undone logout to the crash; cookie dropped: of those, the client had thrown its copy away; "
        "others still in: users who had not logged out, and were let in after the event.",
    )


def _race_table(races: Sequence[Stopped]) -> Table:
    return Table(
        title="A logout overtakes a request, or a refresh the logout, in front of each operation in turn",
        head=("strategy", "request", "operations", "answered 200", "same credential", "new credential", "where"),
        rows=tuple(
            (
                each.strategy,
                each.request,
                _operations(each),
                of(each.total(measures.ACKNOWLEDGED), each.total(measures.LOGOUTS)),
                of(each.total(measures.REVIVED), each.total(measures.ACKNOWLEDGED)),
                of(each.total(measures.RENEWED), each.total(measures.ACKNOWLEDGED)),
                _where(each, measures.REVIVED, measures.RENEWED),
            )
            for each in races
        ),
        note="answered 200: of the logouts; same credential, new credential: accepted after such a logout, as the "
        "login had it or as the other request's answer brought it; where: numbers of the operations in front of "
        "which the request had been stopped. What the auth service asks its store is no operation here.",
        numeric=False,
    )


def _pair_table(pairs: Sequence[Stopped]) -> Table:
    return Table(
        title="One credential in two requests at once",
        head=("strategy", "request", "pairs", "both accepted", "one accepted", "credentials left", "both: where"),
        rows=tuple(
            (
                each.strategy,
                each.request,
                str(each.total(measures.PAIRS)),
                str(each.total(measures.BOTH)),
                str(each.total(measures.ONE)),
                str(each.total(measures.LIVING)),
                _where(each, measures.BOTH),
            )
            for each in pairs
        ),
        note="The second request is sent while the first is stopped in front of one of its operations. credentials "
        "left: accepted after the pairs; where they are fewer than pairs, reuse has ended logins.",
        numeric=False,
    )


def _half_table(halves: Sequence[Stopped]) -> Table:
    return Table(
        title="A store goes away in the middle of a logout",
        head=("strategy", "operations", "logouts", "200", "401, 403", "5xx", "no answer", "accepted after", "dropped"),
        rows=tuple(
            (
                each.strategy,
                _operations(each),
                *(
                    str(each.total(measure))
                    for measure in (
                        measures.LOGOUTS,
                        measures.ACKNOWLEDGED,
                        measures.REFUSED,
                        measures.FAILED,
                        measures.UNKNOWN,
                    )
                ),
                str(each.total(measures.REVIVED) + each.total(measures.ALIVE)),
                str(each.total(measures.FORGOTTEN)),
            )
            for each in halves
        ),
        note="The store of one operation, each in turn, is unreachable from right before it until the client has its "
        "answer. accepted after: once the store was back; dropped: of those, the client had thrown its copy away.",
        numeric=False,
    )


def _operations(each: Stopped) -> str:
    return ", ".join(place.operation for place in each.places if place.number) or each.places[0].operation


def _where(each: Stopped, *any_of: Measure) -> str:
    """Numbers of the places where it was counted, neighbours as a range."""
    runs: list[list[int]] = []
    for number in (place.number for place in each.where(*any_of)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs) or MISSING


def _uncounted(found: Found, rows: Sequence[Stopped]) -> tuple[str, ...]:
    missed = sum(each.total(measures.MISSED) for each in rows)
    waited = sum(each.total(measures.WAITED) for each in rows)
    codes = Counter(reason.code for row in found.observations if row.kind == KIND for reason in row.reasons)
    told = []
    if waited:
        told.append(f"In {waited} interleavings the second request waited for a lock of the first.")
    if missed:
        told.append(f"{missed} interleavings came out otherwise than meant, do not count, and were made again.")
    if codes:
        told.append(f"Observations that do not count: {', '.join(f'{code} {n}' for code, n in codes.most_common())}.")
    return tuple(told)
