"""The sections on growth and on login storms say what the records show, how surely, and what does not count."""

from collections.abc import Mapping

from authbench.experiments.growth.measures import KIND, LATENCY
from authbench.histogram import new_histogram
from authbench.observed import Observation
from authbench.records import Level, Reason
from reports.sections import growth, logins
from reports.sections.growth_found import seen, size, told
from reports.sections.section import Found, Section
from tests.unit.analysis.synthetic import make

MANIFEST = make()[0]
DISTURBED = (Reason(code="cpu-contended", message="other processes used 50.0 % of the stack's cores, over 5 %"),)


def observed(
    launch: int,
    levels: Mapping[str, Level],
    values: Mapping[str, float | None],
    *,
    latency_us: int | None = None,
    reasons: tuple[Reason, ...] = (),
) -> Observation:
    histograms = {}
    if latency_us is not None:
        drawn = new_histogram()
        for number in range(100):
            drawn.record_value(latency_us + number)
        histograms = {LATENCY: drawn.encode().decode()}
    return Observation(kind=KIND, launch=launch, levels=levels, values=values, reasons=reasons, histograms=histograms)


def grown(launches: int, *, slope: float = 0.0, reasons: tuple[Reason, ...] = ()) -> list[Observation]:
    """session-db with 1,000 and 1,000,000 logins, session-cache with as many, jwt-hs256 with none."""
    made = []
    for launch in range(launches):
        wobble = 1 + 0.002 * (launch % 3)
        for rows, blocks in ((1_000, 6.0), (1_000_000, 8.0)):
            at: dict[str, Level] = {"rows": rows, "expired": 0.9}
            table = {"stored": rows, "heap_bytes": 300 * rows, "index_bytes": 200 * rows, "total_bytes": 500 * rows}
            db = {"strategy": "session-db", **at}
            made.append(observed(launch, {**db, "stage": "grown"}, {**table, "dead_rows": 0, "row_bytes": 500}))
            cpu = 1.5 * wobble * (1 + slope * (rows > 1_000))
            loaded = {"cpu_ms": cpu, "db_ms": 0.2, "blocks": blocks, "outside": 0.0, "statements": 2, "p50_ms": 3.0}
            made.append(observed(launch, {**db, "cleaning": "none"}, loaded, latency_us=3_000, reasons=reasons))
            running = {"p50_ms": 4.5 * wobble, "cleaned_share": 0.5}
            made.append(observed(launch, {**db, "cleaning": "running"}, running, latency_us=4_500, reasons=reasons))
            left = {"stored": rows / 10, "dead_rows": 0}
            cleaned = {"seconds": 2.0, "statements": 1, "removed": 0.9 * rows}
            made.append(observed(launch, {**db, "stage": "deleted"}, {**table, **left, **cleaned}))
            made.append(observed(launch, {**db, "stage": "vacuumed"}, {**table, **left, "seconds": 0.1}))
            small = {"total_bytes": 50 * rows, "heap_bytes": 30 * rows, "index_bytes": 20 * rows}
            made.append(observed(launch, {**db, "stage": "rewritten"}, {**left, **small, "seconds": 0.3}))
            cache = {"strategy": "session-cache", **at}
            kept = {"keys": rows / 10, "memory_bytes": 36 * rows, "key_bytes": 360}
            made.append(observed(launch, {**cache, "stage": "grown"}, kept))
            made.append(observed(launch, {"strategy": "jwt-hs256", **at, "stage": "grown"}, {}))
    return made


def stormed(launches: int, *, reasons: tuple[Reason, ...] = ()) -> list[Observation]:
    made = []
    for launch in range(launches):
        at = {"strategy": "session-db"}
        costs = {"cpu_ms": 300.0 + launch % 2, "db_ms": 2.0, "statements": 5, "written": 3, "commands": 0}
        hashed = {"iterations": 1_000_000, "hash_ms": 270.0, "per_second": 3.2}
        made.append(observed(launch, {**at, "endpoint": "whoami"}, {"cpu_ms": 1.5}, reasons=reasons))
        made.append(observed(launch, {**at, "endpoint": "login"}, {**costs, **hashed}, reasons=reasons))
        for in_flight, us in ((0, 3_000), (16, 4_000_000)):
            values = {"answered": 1.0, "p50_ms": us / 1000, **({"per_second": 3.0} if in_flight else {})}
            made.append(observed(launch, {**at, "in_flight": in_flight}, values, latency_us=us, reasons=reasons))
    return made


def of_growth(*observations: Observation) -> Section:
    found = growth.section(Found(MANIFEST, (), (), observations))
    assert found is not None
    return found


def of_logins(*observations: Observation) -> Section:
    found = logins.section(Found(MANIFEST, (), (), observations))
    assert found is not None
    return found


def test_other_runs_have_neither() -> None:
    empty = Found(MANIFEST, (), (), ())
    assert growth.section(empty) is None
    assert logins.section(empty) is None
    assert growth.section(Found(MANIFEST, (), (), stormed(2))) is None
    assert logins.section(Found(MANIFEST, (), (), grown(2))) is None


def test_it_says_what_a_login_takes_and_where() -> None:
    first = of_growth(*grown(6)).sentences[0]
    assert first.certainty == "firm"
    assert (
        "session-db takes 500 MB in PostgreSQL (90.0 % of them ended), 500 bytes each, 40.0 % of it indexes"
        in first.text
    )
    assert "session-cache takes 36 MB in Valkey for the 100,000 that live, 360 bytes each" in first.text
    assert "jwt-hs256 stores nothing" in first.text


def test_equal_cost_is_said_only_where_the_interval_allows_it() -> None:
    same = next(each for each in of_growth(*grown(6)).sentences if "CPU a request went" in each.text)
    assert "the same within 3.0 %" in same.text
    assert same.certainty == "firm"
    assert "PostgreSQL read 6 blocks a request, then 8, all of them in shared buffers." in same.text
    more = next(each for each in of_growth(*grown(6, slope=0.2)).sentences if "CPU a request went" in each.text)
    assert "1.20×" in more.text
    assert ": more." in more.text
    alone = next(each for each in of_growth(*grown(1)).sentences if "CPU a request went" in each.text)
    assert alone.certainty == "open"


def test_deleting_frees_rows_and_only_rewriting_gives_bytes_back() -> None:
    text = next(each.text for each in of_growth(*grown(2)).sentences if "deleting" in each.text)
    assert "deleting 900,000 ended logins of 1,000,000 took 1 statement" in text
    assert "500 MB before, 500 MB after it; VACUUM gave nothing back to the disk" in text
    assert "gave back 450 MB and left 50 MB" in text
    assert "(it ran for 50.0 % of the window)" in text


def test_a_disturbed_window_gives_its_counts_and_nothing_else() -> None:
    section = of_growth(*grown(6, reasons=DISTURBED))
    cost = next(each for each in section.sentences if each.text.startswith("session-db: too few windows"))
    assert cost.certainty == "open"
    assert "PostgreSQL read 6 blocks a request, then 8" in cost.text
    assert {chart.name for chart in section.charts} == {"growth-size"}
    assert section.notes[-1] == "Windows that do not count: cpu-contended 24."
    assert not any("median latency was" in each.text for each in section.sentences)


def test_what_was_measured_again_replaces_what_did_not_count() -> None:
    (first,) = seen([*grown(1, reasons=DISTURBED)[1:2], *grown(1)[1:2]], "cleaning")
    assert first.launches == 1
    assert not first.reasons
    (kept,) = seen([*grown(1)[1:2], *grown(1, reasons=DISTURBED)[1:2]], "cleaning")
    assert kept.launches == 1


def test_every_row_of_a_table_is_as_wide_as_its_head() -> None:
    for section in (of_growth(*grown(2)), of_logins(*stormed(2))):
        for table in section.tables:
            assert {len(row) for row in table.rows} == {len(table.head)}
        assert all(chart.png and chart.alt for chart in section.charts)


def test_a_login_costs_hundreds_of_requests_and_others_wait() -> None:
    section = of_logins(*stormed(6))
    texts = [each.text for each in section.sentences]
    assert "a login asks 5 statements and 0 cache commands and writes 3 rows; it costs" in texts[0]
    assert "as much as 200 of its whoami requests" in texts[0]
    assert "PBKDF2 with 1,000,000 iterations" in texts[1]
    assert "whoami takes p50 3.05 ms, p99 (3.10) ms without logins; with 16 in flight: p50 4" in texts[2]
    assert [chart.name for chart in section.charts] == ["logins-cost", "logins-storm"]
    assert all(each.certainty == "firm" for each in section.sentences)


def test_a_disturbed_storm_says_nothing_but_counts() -> None:
    section = of_logins(*stormed(2, reasons=DISTURBED))
    assert all(each.certainty == "open" for each in section.sentences)
    assert "asks 5 statements" in section.sentences[0].text
    assert section.charts == ()


def test_bytes_are_said_in_a_unit_that_reads() -> None:
    assert [size(value) for value in (None, 12, 1_500, 49_800_000, 2e9)] == [
        "–",
        "12 bytes",
        "1.5 kB",
        "49.8 MB",
        "2 GB",
    ]
    assert told(None) == "–"
