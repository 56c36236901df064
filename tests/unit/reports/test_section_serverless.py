"""The section on functions says what the records show, how surely, and what does not count."""

from authbench.experiments.serverless.measures import PHASES
from authbench.observed import Observation
from authbench.records import Reason
from reports.sections.section import Found, Section
from reports.sections.serverless import section
from tests.unit.analysis.synthetic import make

MANIFEST = make()[0]
DISTURBED = (Reason(code="cpu-contended", message="others used 50.0 % of the stack's cores"),)
WRONG = (Reason(code="errors", message="1 answers are wrong; the first: status 503"),)
HOLDING = {"none": 0, "session-db": 1, "jwt-hs256": 0}


def observed(launch: int, strategy: str, age: int, concurrency: int, reasons: tuple[Reason, ...] = ()) -> Observation:
    held = HOLDING[strategy] if age else 0
    values: dict[str, float | None] = {
        "instances": concurrency,
        "cold_starts": concurrency,
        "most_at_once": 1,
        "held_connections": held * concurrency,
        "held_cache_connections": 0,
        "burst_ms": 500.0 * concurrency,
        "resident_mb": 60.0,
    }
    if concurrency == 1:
        connects = HOLDING[strategy]
        spent = (60.0, 300.0, 8.0, 12.0 if connects else None, None, 4.0 + 0.1 * (launch % 3))
        values |= dict(zip((each.name for each in PHASES), spent, strict=True))
        values |= {
            "cold_start_ms": sum(each or 0.0 for each in spent),
            "cold_cpu_ms": 330.0,
            "first_request_ms": 5.0 + 15 * connects,
            "warm_p50_ms": 1.0 + 4 * connects * (not age),
            "warm_cpu_ms": 0.8 + 3 * connects * (not age) + 0.01 * (launch % 3),
            "cold_statements": 2 * connects,
            "cold_cache_commands": 0,
            "cold_auth_calls": 0,
            "warm_statements": 2 * connects,
            "warm_cache_commands": 0,
            "warm_auth_calls": 0,
            "warm_connections_opened": connects * (not age),
        }
    levels = {"strategy": strategy, "conn_max_age_s": age, "concurrency": concurrency}
    return Observation(kind="serverless", launch=launch, levels=levels, values=values, reasons=reasons)


def ended(launch: int, checks: str) -> Observation:
    values = {
        "held_before": 1,
        "held_after": 0,
        "thawed_status": 200 if checks == "on" else 503,
        "thawed_ms": 9.0,
        "next_status": 200,
    }
    levels = {"strategy": "session-db", "health_checks": checks}
    return Observation(kind="serverless", launch=launch, levels=levels, values=values)


def rows(launches: int, reasons: tuple[Reason, ...] = ()) -> list[Observation]:
    found = [
        observed(launch, strategy, age, concurrency, reasons)
        for launch in range(launches)
        for strategy in HOLDING
        for age in (0, 60)
        for concurrency in (1, 4)
    ]
    return found + [ended(launch, checks) for launch in range(launches) for checks in ("off", "on")]


def told(given: list[Observation]) -> Section:
    found = section(Found(MANIFEST, (), (), given))
    assert found is not None
    return found


def test_there_is_none_where_no_function_was_observed() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None
    assert section(Found(MANIFEST, (), (), [observed(0, "none", 0, 1, WRONG)])) is None


def test_six_launches_make_it_firm_and_fewer_tentative() -> None:
    assert {each.certainty for each in told(rows(6)).sentences} == {"firm"}
    assert {each.certainty for each in told(rows(2)).sentences} == {"tentative"}


def test_it_says_who_holds_connections_and_when_the_limit_is_reached() -> None:
    texts = [each.text for each in told(rows(6)).sentences]
    (held,) = [text for text in texts if text.startswith("Database connections")]
    assert "(CONN_MAX_AGE 60): session-db 1; no connection: none and jwt-hs256" in held
    assert "used up by 100 instances of session-db" in held
    assert "With CONN_MAX_AGE 0 frozen instances hold no connection to the database." in texts
    (ended_,) = [text for text in texts if "idle_session_timeout" in text]
    assert "answered 503" in ended_
    assert "CONN_HEALTH_CHECKS it is answered 200 (session-db)" in ended_


def test_phases_and_warm_requests_stand_in_tables_and_charts() -> None:
    found = told(rows(6))
    assert [chart.name for chart in found.charts] == ["serverless-cold", "serverless-held"]
    cold, warm, held, thawed = found.tables
    (session,) = [row for row in cold.rows if row[0] == "session-db"]
    assert session[1].startswith("384 ±")
    assert session[5] == "12.00 ± 0.000"
    assert session[6] == "–"
    assert warm.rows[1][5:7] == ("1", "0")
    assert held.rows[3][:3] == ("session-db, 60 s", "1", "4")
    assert thawed.rows[0][:3] == ("session-db, off", "1 → 0", "503")


def test_counts_of_disturbed_observations_count_and_times_do_not() -> None:
    found = told(rows(6, DISTURBED))
    assert [chart.name for chart in found.charts] == ["serverless-held"]
    assert any("cannot be said" in each.text and each.certainty == "open" for each in found.sentences)
    assert any(note.startswith("72 of 84 observations were disturbed") for note in found.notes)
    assert any(each.text.startswith("Database connections") and each.certainty == "firm" for each in found.sentences)


def test_a_valid_observation_replaces_the_disturbed_one_before_it() -> None:
    assert len(told([*rows(6, DISTURBED), *rows(6)]).charts) == 2


def test_counts_that_differ_between_launches_are_open_and_marked() -> None:
    given = rows(6)
    place = next(
        i
        for i, row in enumerate(given)
        if row.levels == {"strategy": "session-db", "conn_max_age_s": 60, "concurrency": 4}
    )
    given[place] = given[place].model_copy(update={"values": {**given[place].values, "held_connections": 3}})
    found = told(given)
    (held,) = [each for each in found.sentences if each.text.startswith("Database connections")]
    assert held.certainty == "open"
    assert any("not the same at every launch († the last is shown): session-db." in note for note in found.notes)
    assert any("4 †" in row for row in found.tables[2].rows)
