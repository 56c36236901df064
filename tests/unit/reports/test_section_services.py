"""The section of services: what it says, how sure it is, and what it leaves open."""

import pytest

from authbench.observed import Observation
from authbench.records import Reason
from reports.charts.canvas import styled
from reports.sections.section import Found, Section
from reports.sections.services import section
from tests.unit.analysis.synthetic import World, make
from tests.unit.analysis.test_services import world

MANIFEST = make(World(launches=2))[0]
DISTURBED = Reason(code="cpu-contended", message="closed model: others")


def told(rows: list[Observation]) -> Section:
    with styled():
        found = section(Found(MANIFEST, (), (), rows))
    assert found is not None
    return found


def test_there_is_none_where_no_services_were_measured() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None


def test_six_launches_make_it_firm() -> None:
    sentences = {each.text: each.certainty for each in told(world(6)).sentences}
    assert (
        sentences["session: auth-tier calls a user request: 2 for each service (exact at all 4 topologies)."] == "firm"
    )
    text = (
        "exchanged-jwt: auth-tier calls a user request: 1 whatever the number of services (exact at all 4 topologies)."
    )
    assert sentences[text] == "firm"
    assert sentences["edge-header: auth-tier calls a user request: none (exact at all 4 topologies)."] == "firm"
    (added,) = [text for text in sentences if "median latency" in text]
    assert "session +2.00 ± 0.000 ms" in added
    assert sentences[added] == "firm"


def test_fewer_launches_make_it_tentative() -> None:
    assert {each.certainty for each in told(world(2)).sentences} == {"tentative"}


def test_counts_that_differ_between_launches_are_open_and_marked() -> None:
    rows = world(6)
    rows[0] = rows[0].model_copy(update={"values": {**rows[0].values, "auth_calls": 11}})
    found = told(rows)
    assert found.sentences[0].certainty == "open"
    assert any("Not the same at every launch: session, auth-tier calls" in note for note in found.notes)
    assert "11 †" in next(table for table in found.tables if table.title.startswith("Auth-tier")).rows[0]


def test_times_that_were_disturbed_are_not_shown_and_counts_are() -> None:
    found = told([row.model_copy(update={"reasons": (DISTURBED,)}) for row in world(6)])
    assert [chart.name for chart in found.charts] == ["services-calls"]
    assert any("cannot be said" in each.text and each.certainty == "open" for each in found.sentences)
    latency = next(table for table in found.tables if table.title.startswith("Median"))
    assert set(latency.rows[0][1:]) == {"–"}
    assert any("72 observations were disturbed" in note for note in found.notes)


def test_charts_tell_in_words_what_they_show() -> None:
    calls, latency = told(world(6)).charts
    assert "session 2 a service; exchanged-jwt 1 a request; edge-header none" in calls.alt
    assert "session +2.00 ± 0.000 ms a service" in latency.alt
    assert calls.png.startswith(b"\x89PNG")
    assert told(world(6)).charts[0].svg == calls.svg  # the same to the byte


@pytest.mark.parametrize("only", ["chain-1", "fan-out-4"])
def test_one_topology_alone_draws_what_it_can(only: str) -> None:
    found = told([row for row in world(2) if row.levels["topology"] == only])
    assert [chart.name for chart in found.charts] == ["services-calls"]
    assert {each.certainty for each in found.sentences[:3]} == {"open"}
