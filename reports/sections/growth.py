"""Growth: what stored logins take, what a request costs as they grow, and what cleaning gives back."""

from collections.abc import Iterable, Sequence

from authbench.analysis.estimate import Ratio
from authbench.analysis.findings import Sentence
from authbench.analysis.wording import certainty_of
from authbench.experiments.growth.measures import STAGES
from reports.charts.canvas import Chart, caption, styled
from reports.charts.growth import cleaning_chart, cost_chart, size_chart
from reports.numbers import DASH, between, count, ms, percent, times
from reports.sections.growth_found import Seen, ratio, seen, size, told, why_not
from reports.sections.section import Found, Section, Table

NAMES = {
    "grown": "filled",
    "deleted": "ended logins deleted",
    "vacuumed": "VACUUM",
    "rewritten": "VACUUM FULL",
}
NOTES = (
    "Logins: some by the strategy's own code, spread over the live part of the table; the rest are copies of these "
    "under keys of their own, of the same length. Ended ones come first, as in a table that has grown with time.",
    "Autovacuum is off: what it would do is done on purpose, and measured. Stores are VACUUMed before they are loaded.",
    "jwt-refresh is asked POST /api/refresh, the only endpoint that reads what grows; its access tokens are stored "
    "nowhere. Nothing deletes its ended rows, nor those of opaque tokens: one DELETE by the end column stands in.",
    "django-rest-knox reads all tokens of a user at each of his requests, and deletes ended ones then, a statement "
    "each: its cost follows the logins a user has, which are the more here the more rows there are.",
    "A cache removes ended entries by itself; what it holds in the end is what lives.",
    "PostgreSQL has 512 MB of shared buffers here and fsync off; the machine's page cache holds the rest: no read "
    "waits for a disk, as it would where tables outgrow memory.",
)


def section(found: Found) -> Section | None:
    """None where the records hold no stored logins."""
    stored, loaded = seen(found.observations, "stage"), seen(found.observations, "cleaning")
    if not stored:
        return None
    places = {each.name: each.location for each in found.manifest.contenders}
    grown = [each for each in stored if each.levels["stage"] == "grown"]
    foot = caption(found.manifest)
    with styled():
        charts: list[Chart | None] = [
            size_chart(grown, places, foot),
            cost_chart(loaded, places, foot),
            cleaning_chart(loaded, places, foot),
        ]
    margin = found.manifest.question.margin
    why = why_not(loaded)
    return Section(
        name="growth",
        title="Growth: stores that fill with logins",
        sentences=tuple(_sentences(stored, loaded, margin)),
        tables=tuple(_tables(stored, loaded)),
        charts=tuple(chart for chart in charts if chart is not None),
        notes=(*NOTES, *([f"Windows that do not count: {why}."] if why else [])),
    )


def _sentences(stored: Sequence[Seen], loaded: Sequence[Seen], margin: float) -> Iterable[Sentence]:
    grown = [each for each in stored if each.levels["stage"] == "grown"]
    most = max(each.rows for each in grown)
    taken = [text for each in _largest(grown) if (text := _takes(each))]
    if taken:
        least = min(each.launches for each in grown)
        yield Sentence(text=f"Of {most:,} logins: {'; '.join(taken)}.", certainty=certainty_of(least))
    for strategy in dict.fromkeys(each.strategy for each in loaded):
        yield _cost(strategy, loaded, margin)
    yield from _cleaned(stored, loaded)


def _largest(grown: Sequence[Seen]) -> list[Seen]:
    """One a strategy: most rows, most of them ended."""
    best: dict[str, Seen] = {}
    for each in sorted(grown, key=lambda each: (each.rows, each.expired)):
        best[each.strategy] = each
    return list(best.values())


def _takes(each: Seen) -> str:
    ended = f" ({percent(each.expired)} of them ended)" if each.expired else ""
    parts = []
    if (row := each.value("row_bytes")) is not None:
        whole, indexes = each.value("total_bytes"), each.value("index_bytes")
        share = f", {percent(indexes / whole)} of it indexes" if whole and indexes is not None else ""
        parts.append(f"{size(whole)} in PostgreSQL{ended}, {row:.0f} bytes each{share}")
    if (key := each.value("key_bytes")) is not None:
        live = each.value("keys")
        parts.append(
            f"{size(each.value('memory_bytes'))} in Valkey for the {count(live)} that live, {key:.0f} bytes each"
        )
    return f"{each.strategy} takes {' and '.join(parts)}" if parts else f"{each.strategy} stores nothing"


def _cost(strategy: str, loaded: Sequence[Seen], margin: float) -> Sentence:
    """How CPU a request went from the smallest store to the greatest."""
    own = sorted(
        (each for each in loaded if each.strategy == strategy and each.levels["cleaning"] == "none"),
        key=lambda each: (each.expired, each.rows),
    )
    expired = max(each.expired for each in own)
    line = [each for each in own if each.expired == expired and "cpu_ms" in each.values]
    blocks = [each for each in own if each.expired == expired and "blocks" in each.values]
    read = _blocks(blocks)
    if len(line) < 2 or (found := ratio(line[-1], line[0], "cpu_ms")) is None:
        text = f"{strategy}: too few windows that count to say how CPU a request grows with the store.{read}"
        return Sentence(text=text, certainty="open")
    verdict = _verdict(found, margin)
    text = (
        f"{strategy}: from {line[0].rows:,} to {line[-1].rows:,} logins CPU a request went from "
        f"{told(line[0].values['cpu_ms'])} to {told(line[-1].values['cpu_ms'])} ms, {times(found)} "
        f"({between(found)}): {verdict}.{read}"
    )
    return Sentence(text=text, certainty=certainty_of(found.n) if verdict != UNKNOWN else "open")


UNKNOWN = "too wide an interval to call it a change, or none"


def _verdict(found: Ratio, margin: float) -> str:
    if found.low is None or found.high is None:
        return UNKNOWN
    if found.excludes(1.0) and not (found.low >= 1 - margin and found.high <= 1 + margin):
        return "more" if found.value > 1 else "less"
    if found.low >= 1 - margin and found.high <= 1 + margin:
        return f"the same within {percent(margin)}"
    return UNKNOWN


def _blocks(line: Sequence[Seen]) -> str:
    if len(line) < 2 or not line[-1].value("blocks"):
        return ""
    low, high = line[0].value("blocks"), line[-1].value("blocks")
    outside = max(each.value("outside") or 0.0 for each in line)
    where = (
        "all of them in shared buffers" if outside < 0.005 else f"at most {ms(outside)} of them outside shared buffers"
    )
    return f" PostgreSQL read {count(low)} blocks a request, then {count(high)}, {where}."


def _cleaned(stored: Sequence[Seen], loaded: Sequence[Seen]) -> Iterable[Sentence]:
    by_stage = {(each.strategy, each.rows, each.expired, each.levels["stage"]): each for each in stored}
    for strategy in dict.fromkeys(each.strategy for each in stored):
        sizes = [key[1:3] for key in by_stage if key[0] == strategy and key[3] == "rewritten"]
        if not sizes:
            continue
        rows, expired = max(sizes)
        before, deleted, vacuumed, rewritten = (by_stage.get((strategy, rows, expired, stage)) for stage in STAGES)
        if before is None or deleted is None or vacuumed is None or rewritten is None:
            continue
        at = {each.levels["cleaning"]: each for each in loaded if _is_at(each, strategy, rows, expired)}
        removed = deleted.value("removed") or 0.0
        gone = round(rows * expired - removed)
        text = f"{strategy}: its own requests had deleted {gone:,} ended logins. " if gone > 0 else ""
        text += (
            f"{'Deleting' if text else f'{strategy}: deleting'} {count(removed)} ended logins of {rows:,} took "
            f"{count(deleted.value('statements'))} statement and {told(deleted.values.get('seconds'))} s. "
            f"{size(before.value('total_bytes'))} before, {size(deleted.value('total_bytes'))} after it; VACUUM "
            f"{_gave_back(deleted, vacuumed)}, VACUUM FULL, which locks the table meanwhile, "
            f"{_gave_back(vacuumed, rewritten)}."
        )
        text += _meanwhile(at.get("none"), at.get("running"))
        yield Sentence(text=text, certainty=certainty_of(deleted.launches))


def _gave_back(before: Seen, after: Seen) -> str:
    """How many bytes went back to the file system between two states."""
    was, now = before.value("total_bytes") or 0.0, after.value("total_bytes") or 0.0
    return "gave nothing back to the disk" if now >= was else f"gave back {size(was - now)} and left {size(now)}"


def _is_at(each: Seen, strategy: str, rows: int, expired: float) -> bool:
    return (each.strategy, each.rows, each.expired) == (strategy, rows, expired)


def _meanwhile(calm: Seen | None, cleaning: Seen | None) -> str:
    if calm is None or cleaning is None or "p50_ms" not in calm.values or "p50_ms" not in cleaning.values:
        return ""
    share = cleaning.value("cleaned_share")
    ran = "" if share is None else f" (it ran for {percent(share)} of the window)"
    return (
        f" While it ran{ran} median latency was {told(cleaning.values['p50_ms'])} ms, without it "
        f"{told(calm.values['p50_ms'])} ms."
    )


def _tables(stored: Sequence[Seen], loaded: Sequence[Seen]) -> Iterable[Table]:
    yield Table(
        title="What stored logins take",
        head=(
            "strategy",
            "logins",
            "ended",
            "state",
            "stored",
            "table",
            "indexes",
            "bytes each",
            "dead rows",
            "cache",
            "bytes a key",
            "s",
        ),
        rows=tuple(
            (
                each.strategy,
                f"{each.rows:,}",
                percent(each.expired),
                NAMES[str(each.levels["stage"])],
                count(each.value("stored") if "stored" in each.values else each.value("keys")),
                size(each.value("heap_bytes")),
                size(each.value("index_bytes")),
                count(round(each.value("row_bytes") or 0) or None),
                count(each.value("dead_rows")),
                size(each.value("memory_bytes")),
                count(round(each.value("key_bytes") or 0) or None),
                told(each.values.get("seconds")),
            )
            for each in sorted(stored, key=_stored_order)
        ),
        note="Means over launches. SI units: 1 MB is 1,000,000 bytes. s: how long the step took.",
    )
    rows = tuple(
        (
            each.strategy,
            f"{each.rows:,}",
            percent(each.expired),
            str(each.levels["cleaning"]),
            told(each.values.get("cpu_ms")),
            told(each.values.get("db_ms")),
            count(each.value("blocks")),
            count(each.value("statements")),
            told(each.values.get("p50_ms")),
            told(each.values.get("rate_db_ms")),
            str(each.launches) + (f" ({why_not([each])})" if each.reasons else ""),
        )
        for each in sorted(loaded, key=_loaded_order)
    )
    if rows:
        yield Table(
            title="What a request costs meanwhile",
            head=(
                "strategy",
                "logins",
                "ended",
                "cleaning",
                "CPU ms",
                "database's",
                "blocks",
                "SQL",
                "p50 ms",
                "database's, at the rate",
                "launches",
            ),
            rows=rows,
            note="CPU and blocks a request in the closed model; p50 and the last CPU column at one open rate, cleaning "
            f"included. ± 95 % interval over launches. {DASH}: no window counts, or there were too few logins.",
        )


def _stored_order(each: Seen) -> tuple[object, ...]:
    return each.strategy, each.expired, each.rows, list(STAGES).index(each.levels["stage"])  # type: ignore[arg-type]


def _loaded_order(each: Seen) -> tuple[object, ...]:
    return each.strategy, each.expired, each.rows, str(each.levels["cleaning"])
