"""The routing section says what the records show, how surely, and what does not count."""

from authbench.observed import Observation
from authbench.records import Reason
from reports.sections.routing import section
from reports.sections.section import Found, Section
from tests.unit.analysis.routed import RATES, login, rise
from tests.unit.analysis.synthetic import make

MANIFEST = make()[0]


def shown(*observations: Observation) -> Section:
    found = section(Found(MANIFEST, (), (), observations))
    assert found is not None
    return found


def counted(launches: int) -> list[Observation]:
    lost = {
        ("round robin", "none"): 0.9,
        ("cookie", "none"): 0.0,
        ("cookie", "joins"): 0.0,
        ("cookie", "leaves"): 1 / 3,
    }
    made = []
    for launch in range(launches):
        for (method, event), share in lost.items():
            made.append(login("session-locmem", method, event, share, launch=launch))
            made.append(login("jwt-hs256", method, event, 0.0, store="client", moved=0.9, launch=launch))
        made.append(login("session-locmem", "ip hash", "none", 0.0, clients="one network", busiest=1.0, launch=launch))
    return made


def test_other_runs_have_no_such_section() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None


def test_it_says_who_was_logged_out_and_when() -> None:
    told = [sentence.text for sentence in shown(*counted(2)).sentences]
    assert "session-locmem: round robin 90 %, cookie 0 %" in told[0]
    assert told[1] == (
        "When a third replica joined two, methods that log nobody out otherwise logged out: session-locmem: cookie 0 %."
    )
    assert told[2].endswith("session-locmem: cookie 33 %.")
    assert told[3].startswith(
        "No user of jwt-hs256 was logged out under any method or event, though under some up to 90 %"
    )
    assert "ip hash sent 100 % of their requests to one of two replicas" in told[4]


def test_fewer_than_six_launches_are_tentative() -> None:
    assert {s.certainty for s in shown(*counted(2)).sentences} == {"tentative"}
    assert {s.certainty for s in shown(*counted(6)).sentences} == {"firm"}


def test_latency_of_too_few_samples_is_an_open_question() -> None:
    few = rise("session-db", "round robin", {100.0: 4.0}, 6, 5)
    assert shown(*counted(6), *few).sentences[-1].certainty == "open"


def test_a_login_that_every_replica_can_check_and_is_lost_all_the_same_is_named() -> None:
    odd = login("session-db", "round robin", "leaves", 0.25, store="shared")
    told = " ".join(sentence.text for sentence in shown(*counted(2), odd).sentences)
    assert "although every replica can check their login: session-db (round robin, leaves: 25 %)" in told


def test_it_names_the_knee_and_draws_the_lines() -> None:
    made = [
        *rise("session-locmem", "cookie", dict.fromkeys(RATES, 4.0), 2, 300),
        *rise("session-db", "round robin", dict(zip(RATES, (2.0, 2.0, 60.0), strict=True)), 2, 300),
    ]
    found = shown(*counted(2), *made)
    told = " ".join(sentence.text for sentence in found.sentences)
    assert "session-locmem has none up to 500 requests/s" in told
    assert [chart.name for chart in found.charts] == ["routing-logins", "routing-latency"]
    assert all(chart.png.startswith(b"\x89PNG") and chart.svg.startswith(b"<?xml") for chart in found.charts)
    assert len(found.tables[1].rows) == 6
    assert "session-locmem, cookie, leaves: 33.3 %" in found.charts[0].alt


def test_observations_that_do_not_count_are_told_with_their_reasons() -> None:
    bad = login(
        "session-locmem", "cookie", "none", 0.9, launch=9, reasons=(Reason(code="wrong-user", message="another"),)
    )
    assert "1 observations do not count (wrong-user 1)" in shown(*counted(2), bad).notes[-1]
