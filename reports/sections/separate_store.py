"""What a session table on a server of its own does to connections: for scenarios that vary `session_store`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from authbench.analysis.connections import readable
from authbench.analysis.findings import Certainty, Sentence
from authbench.analysis.wording import certainty_of
from authbench.records import Contender, Database, Level, Trial
from reports.charts.canvas import caption
from reports.charts.separate_store import Pair, separate_chart
from reports.numbers import MISSING
from reports.sections.section import Found, Section, Table

SHARED, SEPARATE = "shared", "separate"
Place = tuple[Level, Level]  # workload, replicas


@dataclass(frozen=True, slots=True)
class Held:
    """One strategy's windows at one level, read at both servers."""

    windows: Sequence[Trial]

    def peaks(self) -> tuple[int, int]:
        """Most connections at the first server and at the sessions' own."""
        return max(_of(t.database, _peak) for t in self.windows), max(
            _of(t.session_database, _peak) for t in self.windows
        )

    def spread(self) -> tuple[int, int]:
        """Fewest and most connections at both together, over the windows."""
        totals = [_of(t.database, _peak) + _of(t.session_database, _peak) for t in self.windows]
        return min(totals), max(totals)

    def statements(self) -> tuple[float, float]:
        """SQL statements a request at each server."""
        sent = sum(t.load.sent for t in self.windows)
        first = sum(_of(t.database, _statements) for t in self.windows)
        second = sum(_of(t.session_database, _statements) for t in self.windows)
        return first / sent, second / sent

    def opened_per_s(self) -> tuple[float, float]:
        """Connections opened a second at each server."""
        seconds = sum(t.load.window_s for t in self.windows)
        first = sum(_of(t.database, _opened) for t in self.windows)
        second = sum(_of(t.session_database, _opened) for t in self.windows)
        return first / seconds, second / seconds


def section(found: Found) -> Section | None:
    """None where the scenario does not vary the place of the session table, or nothing was read."""
    if "session_store" not in found.manifest.question.factors:
        return None
    held = _held(found.trials)
    places = sorted({place for place, _, _ in held}, key=str)
    if not places:
        return None
    foot = caption(found.manifest)
    certainty = certainty_of(found.manifest.question.launches)
    sentences, tables, charts = [], [], []
    for number, place in enumerate(places, start=1):
        shown = [c for c in found.manifest.contenders if any((place, c.name, at) in held for at in (SHARED, SEPARATE))]
        title = f"{place[0]}, {place[1]} replicas"
        sentences += _sentences(place, shown, held, title, certainty)
        tables.append(_table(place, shown, held, title))
        pairs = [_pair(place, contender, held) for contender in shown]
        charts.append(separate_chart(pairs, title, foot, f"separate-store-{number}"))
    return Section(
        name="separate-store",
        title="Sessions on a server of their own: who holds twice the connections",
        sentences=tuple(sentences),
        tables=tuple(tables),
        charts=tuple(charts),
        notes=_notes(held),
    )


Kept = Mapping[tuple[Place, str, str], Held]


def _held(trials: Sequence[Trial]) -> dict[tuple[Place, str, str], Held]:
    found: dict[tuple[Place, str, str], list[Trial]] = {}
    for trial in readable(trials):
        if trial.load.model == "saturate" and trial.database is not None and trial.load.sent:
            place = (trial.cell["workload"], trial.cell["replicas"])
            found.setdefault((place, trial.strategy, str(trial.cell["session_store"])), []).append(trial)
    return {key: Held(windows) for key, windows in found.items()}


def _sentences(
    place: Place, shown: Sequence[Contender], held: Kept, title: str, certainty: Certainty
) -> list[Sentence]:
    groups: dict[str, list[str]] = {}
    for contender in shown:
        both = [held.get((place, contender.name, at)) for at in (SHARED, SEPARATE)]
        if both[0] is None or both[1] is None:
            continue
        (before, _), (first, second) = both[0].peaks(), both[1].peaks()
        groups.setdefault(_kind(before, first, second), []).append(
            contender.name if not before and not first + second else f"{contender.name} ({before} → {first} + {second})"
        )
    said = {
        "twice": "connections at both servers, twice as many as with one",
        "both": "connections at both servers",
        "sessions": "connections at the sessions' server instead, none at the users'",
        "first": "connections at the users' server alone, since these requests read no session table",
        "none": "none at either",
    }
    told = [f"{text}: {', '.join(groups[kind])}" for kind, text in said.items() if kind in groups]
    if not told:
        return [Sentence(text=f"{title}: no strategy was measured with one server and with two.", certainty="open")]
    return [Sentence(text=f"{title}: {'; '.join(told)}.", certainty=certainty)]


def _kind(before: int, first: int, second: int) -> str:
    if not first + second:
        return "none"
    if first and second:
        return "twice" if first + second == 2 * before else "both"
    return "sessions" if second else "first"


def _table(place: Place, shown: Sequence[Contender], held: Kept, title: str) -> Table:
    rows = []
    for contender in shown:
        shared, separate = (held.get((place, contender.name, at)) for at in (SHARED, SEPARATE))
        rows.append((contender.name, *_cells(shared, both=False), *_cells(separate, both=True)))
    head = (
        *("strategy", "shared: peak", "SQL a request", "opened/s"),
        *("separate: users'", "sessions'", "together", "SQL users'", "SQL sessions'", "opened/s users'", "sessions'"),
    )
    note = (
        "Most connections held at once in any window; together: added over both servers, a range where windows differ. "
        "SQL: statements a request, without BEGIN and COMMIT."
    )
    return Table(f"Connections and statements at each server: {title}", head, tuple(rows), note)


def _cells(held: Held | None, *, both: bool) -> tuple[str, ...]:
    if held is None:
        return (MISSING,) * (7 if both else 3)
    first, second = held.peaks()
    (sql, session_sql), (opened, session_opened) = held.statements(), held.opened_per_s()
    if not both:
        return str(first), f"{sql:.2f}", f"{opened:.1f}"
    least, most = held.spread()
    together = str(most) if least == most else f"{least}–{most}"
    return (
        *(str(first), str(second), together),
        *(f"{sql:.2f}", f"{session_sql:.2f}", f"{opened:.1f}", f"{session_opened:.1f}"),
    )


def _pair(place: Place, contender: Contender, held: Kept) -> Pair:
    levels = {at: held[place, contender.name, at] for at in (SHARED, SEPARATE) if (place, contender.name, at) in held}
    return Pair(
        contender.name, contender.location, contender.freshness, {at: each.peaks() for at, each in levels.items()}
    )


def _notes(held: Kept) -> tuple[str, ...]:
    windows = [trial for each in held.values() for trial in each.windows]
    spoilt = sum(not trial.valid for trial in windows)
    notes = [
        "The sessions' server is a second PostgreSQL of the same version and settings on the same machine; Django's "
        "database router sends `django.contrib.sessions` there and nothing else.",
        "Every thread keeps the connections that its requests have needed (CONN_MAX_AGE 60), one a server.",
        "Sessions that a cache holds (session-cached-db) are read from their table only where the cache misses, and "
        "written there at every login and change: neither happens in these windows.",
    ]
    if spoilt:
        notes.append(
            f"{spoilt} of {len(windows)} windows were disturbed by other programs: their counts are read, nothing else."
        )
    return tuple(notes)


def _of(database: Database | None, read: Callable[[Database], int]) -> int:
    return 0 if database is None else read(database)


def _peak(database: Database) -> int:
    return database.connections_peak


def _statements(database: Database) -> int:
    return database.statements


def _opened(database: Database) -> int:
    return database.connections_opened
