"""The rotation section says whom which rotation logs out, how surely, and what does not count."""

from authbench.observed import Observation
from authbench.records import Reason
from reports.sections.rotation import section
from reports.sections.section import Found, Section
from tests.unit.analysis.rotated import rotated
from tests.unit.analysis.synthetic import make

MANIFEST = make()[0]


def shown(*observations: Observation) -> Section:
    found = section(Found(MANIFEST, (), (), observations))
    assert found is not None
    return found


def counted(launches: int) -> list[Observation]:
    made = []
    for launch in range(launches):
        made += [
            rotated("jwt-hs256", "overlap", launch=launch),
            rotated("drf-simplejwt", "overlap", launch=launch, wrongly=10, out_renewing=10),
            rotated("session-db", "overlap", key="secret key", launch=launch, out_keeping=0),
            rotated("session-db", "overlap", key="secret key", page=2, launch=launch, wrongly=15, out_renewing=10),
            rotated("jwt-hs256", "fallback", launch=launch, wrongly=4),
            rotated("jwt-hs256", "at once", launch=launch, wrongly=2, out_renewing=10),
            rotated("jwt-refresh", "at once", launch=launch, out_keeping=0),
        ]
    return made


def told(*observations: Observation) -> str:
    return " ".join(sentence.text for sentence in shown(*observations).sentences)


def test_other_runs_have_no_such_section() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None


def test_it_says_what_overlap_keeps_and_what_it_does_not() -> None:
    said = told(*counted(2))
    assert "no request of jwt-hs256 and session-db was wrongly refused (0 of 400), and 0 of 40 users" in said
    assert "but of drf-simplejwt 10.0 % (20 of 200, in 2 of 2 launches)." in said
    assert "sends two requests at once, a rotation with overlap logged out 30 of 30 users of session-db." in said


def test_it_says_what_the_shorter_ways_cost() -> None:
    said = told(*counted(2))
    assert "before every replica accepts it wrongly refused requests of jwt-hs256 4.0 % (8 of 200" in said
    assert "Replaced at once, every user of jwt-hs256 had to log in again; no user of jwt-refresh had to" in said
    assert "HS256 secret 3.0 s, Django's SECRET_KEY 3.0 s" in said
    assert "Of 1,400 requests during 14 rotations 0 failed or were not answered." in said


def test_fewer_than_six_launches_are_tentative() -> None:
    assert {s.certainty for s in shown(*counted(2)).sentences} == {"tentative"}
    assert {s.certainty for s in shown(*counted(6)).sentences} == {"firm"}


def test_nothing_that_counts_is_an_open_question_and_told_why() -> None:
    bad = rotated("jwt-hs256", "overlap", reasons=(Reason(code="too-slow", message="busy"),))
    found = shown(bad)
    assert [s.certainty for s in found.sentences] == ["open"]
    assert found.tables == found.charts == ()
    assert "1 observations do not count (too-slow 1)" in found.notes[-1]


def test_a_chart_for_each_kind_of_key_and_a_row_for_each_rotation() -> None:
    found = shown(*counted(2))
    assert [chart.name for chart in found.charts] == ["rotation-hs256", "rotation-secret-key"]
    assert all(chart.png.startswith(b"\x89PNG") and chart.svg.startswith(b"<?xml") for chart in found.charts)
    assert "session-db, 2 requests a page, overlap: 30 of 200 requests wrongly refused" in found.charts[1].alt
    assert len(found.tables[0].rows) == 7
    assert "keys from" not in found.tables[0].head
    assert found.tables[0].rows[0][-2:] == ("6.5 (0.1 to 12.9)", "3.0")  # no interval where all launches agree


def test_where_keys_come_from_two_places_the_table_says_which() -> None:
    found = shown(rotated("jwt-hs256", "overlap"), rotated("jwt-hs256", "overlap", secrets="openbao", wrongly=1))
    assert found.tables[0].head[3] == "keys from"
    assert [row[3] for row in found.tables[0].rows] == ["environment", "openbao"]
    assert "jwt-hs256 with keys in openbao 1.0 %" in found.sentences[0].text
