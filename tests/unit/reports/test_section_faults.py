"""The faults section says who answered, who was logged out and what was lost, how surely, and what does not count."""

from authbench.analysis.faults import suffered
from authbench.observed import Observation
from authbench.records import Reason
from reports.charts.faults import together
from reports.sections.faults import section
from reports.sections.section import Found, Section
from tests.unit.analysis.failed import suffered_by
from tests.unit.analysis.synthetic import make

MANIFEST = make()[0]
RESTART, KILL = "cache restarts", "database is killed"


def shown(*observations: Observation) -> Section:
    found = section(Found(MANIFEST, (), (), observations))
    assert found is not None
    return found


def usual(launches: int = 2) -> list[Observation]:
    made = [suffered_by("session-db", role="control")]
    for launch in range(launches):
        made += [
            suffered_by("session-cached-db", launch=launch),
            suffered_by("session-cache", "failed", "refused", launch=launch, out=100),
            suffered_by("session-cache", "refused", "refused", engine="stock", launch=launch, out=40, forgotten=40),
            suffered_by("session-db", "failed", fault=KILL, launch=launch, untold=2),
        ]
    return made


def told(*observations: Observation) -> str:
    return "\n".join(sentence.text for sentence in shown(*observations).sentences)


def test_other_runs_have_no_such_section() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None


def test_it_says_who_kept_answering_and_who_was_logged_out() -> None:
    said = told(*usual())
    assert "When the cache restarts: every request of session-cached-db was answered right" in said
    assert "answered right while it held: session-cache 0 %" in said
    assert (
        "100 % of the users of session-cache; 40 % of the users of session-cache (Django's engine) (40 of them" in said
    )
    assert "had to log in again afterwards" in said
    assert "good logins were answered 401 or 403, as if they had ended, by session-cache (Django's engine)" in said
    assert "session-db 0 %" in said  # under the other fault
    assert said.count("session-db") == 2  # the control is not told of


def test_lost_orders_and_wrong_users_are_told_of_first() -> None:
    assert "none was lost under any fault" in told(*usual())
    lost = suffered_by("session-db", "failed", fault=KILL, launch=7, lost=3)
    assert "gone afterwards: session-db (database is killed: up to 3 a launch)" in told(*usual(), lost)
    other = suffered_by("jwt-hs256", fault=KILL, wrong_user=1)
    assert told(*usual(), other).splitlines()[0] == "Answers named another user: jwt-hs256 (database is killed)."


def test_orders_that_nobody_was_told_of_are_told_of() -> None:
    assert "database is killed: session-db 2.0" in told(*usual())


def test_an_answer_for_show_is_no_right_one() -> None:
    said = told(suffered_by("session-file", fault="files are full", engine="stock", kept_lost=3))
    assert "gone afterwards: session-file (Django's engine) (files are full: 3 of 4 users a launch)" in said
    assert "session-file (Django's engine) 100 %, though not all of it was so" in said
    assert "every request" not in said


def test_fewer_than_six_launches_are_tentative() -> None:
    assert {sentence.certainty for sentence in shown(*usual(2)).sentences} == {"tentative"}
    assert {sentence.certainty for sentence in shown(*usual(6)).sentences} == {"firm"}


def test_a_table_and_a_chart_a_fault() -> None:
    found = shown(*usual())
    assert [chart.name for chart in found.charts] == ["faults-database-is-killed", "faults-cache-restarts"]
    restarts = next(table for table in found.tables if table.title == "Cache restarts")
    rows = {row[0]: row for row in restarts.rows}
    assert list(rows) == [
        "session-cache",
        "session-cache (Django's engine)",
        "session-cached-db",
        "(session-db)",
    ]
    head = dict(zip(restarts.head, rows["session-cache"], strict=True))
    assert head["right before"] == "100 %"
    assert head["while it held"] == "0 %"
    assert head["failed"] == "10"
    assert head["right again (s)"] == "never"
    assert head["have to log in again"] == "100"
    assert "session-cache 10 of 40 right" not in found.charts[1].alt  # both launches together
    assert "session-cache 20 of 80 right (40 refused, 20 failed, 0 unknown)" in found.charts[1].alt


def test_what_does_not_count_is_named_in_a_note() -> None:
    bad = suffered_by("jwt-hs256", reasons=(Reason(code="logs-disagree", message=""),))
    assert "1 observations do not count (logs-disagree 1)" in shown(*usual(), bad).notes[-1]


def test_a_run_in_which_nothing_counts_has_notes_only() -> None:
    bad = suffered_by("jwt-hs256", reasons=(Reason(code="not-calm", message=""),))
    found = shown(bad)
    assert (found.sentences, found.tables, found.charts) == ((), (), ())


def test_bins_of_the_picture_keep_every_request_and_never_lie_across_the_beginning() -> None:
    (row,) = suffered([suffered_by("session-cache", "failed")])
    merged = together(row.timeline)  # one request a bin: five bins are one
    assert merged.bin_s == 0.5
    assert sum(map(sum, merged.outcomes.values())) == 40
    assert merged.outcomes["failed"][:2] == [0, 0]
    assert merged.outcomes["failed"][2:4] == [5, 5]
    assert merged.starts_s[2] == 0.0
