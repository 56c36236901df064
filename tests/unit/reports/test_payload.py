import pytest

from authbench.experiments.payload.measures import Refuser
from authbench.observed import Observation
from authbench.records import Reason
from reports.charts.canvas import styled
from reports.payloads import Course, courses, slope
from reports.sections.payload import section
from reports.sections.section import Found, Section
from tests.unit.analysis.synthetic import World, make

MANIFEST = make(World(launches=2))[0]
SIZES = (0, 2_048, 4_096, 6_144)
# bytes carried without data and for each byte of it, ms of CPU without data, µs a KB, whether it is a cookie
STRATEGIES = {
    "none": (0, 0.0, 0.4, 0.0, False),
    "session-db": (59, 0.0, 1.5, 30.0, True),
    "session-cookie-claims": (195, 1.1, 0.5, 20.0, True),
    "jwt-hs256": (440, 4 / 3, 0.6, 25.0, False),
}
LIMIT = 8_190
KNOWN = {contender.name for contender in MANIFEST.contenders}


def observed(strategy: str, size: int, launch: int, **changes: float | None) -> Observation:
    """One observation in a world without noise, but for launches that differ."""
    bare, growth, cpu_ms, us_per_kb, cookie = STRATEGIES[strategy]
    carried = bare + growth * size
    longest = round(carried) + 7
    passes = longest <= LIMIT
    values: dict[str, float | None] = {
        "credential_bytes": carried,
        "header_bytes": longest,
        "cookie_bytes": longest - 11 if cookie else None,
        "balancer_status": 200 if passes else 400,
        "balancer_refuser": Refuser.NOBODY if passes else Refuser.BALANCER,
        "replica_status": 200 if passes else 431,
        "replica_refuser": Refuser.NOBODY if passes else Refuser.SERVER,
        "stored_bytes": size + 200 if strategy == "session-db" else 0,
        "loaded_bytes": size + 200 if strategy == "session-db" else 0,
        "balancer_limit_bytes": None if strategy == "none" else LIMIT,
        "replica_limit_bytes": None if strategy == "none" else LIMIT,
    }
    if passes:
        cost = (cpu_ms + us_per_kb / 1e3 * size / 1_024) * (1 + 0.01 * (launch % 3))
        values |= {"request_bytes": 51 + carried, "answer_bytes": 400, "requests": 500 + launch, "cpu_ms": cost}
    return Observation(
        kind="payload",
        launch=launch,
        levels={"strategy": strategy, "payload_bytes": size},
        values=values | changes,
    )


def world(launches: int = 6, sizes: tuple[int, ...] = SIZES) -> list[Observation]:
    return [observed(name, size, n) for n in range(launches) for name in STRATEGIES for size in sizes]


def of(strategy: str, rows: list[Observation]) -> Course:
    return next(course for course in courses(MANIFEST, rows) if course.strategy == strategy)


def built(rows: list[Observation]) -> Section:
    with styled():
        made = section(Found(MANIFEST, (), (), rows))
    assert made is not None
    return made


def test_the_world_s_strategies_are_known() -> None:
    assert set(STRATEGIES) <= KNOWN


def test_there_is_no_section_where_no_payload_was_varied() -> None:
    assert section(Found(MANIFEST, (), (), ())) is None
    other = Observation(kind="growth", launch=0, levels={"strategy": "none"}, values={})
    assert section(Found(MANIFEST, (), (), [other])) is None


def test_limits_are_met_where_they_are_met() -> None:
    cookie, token, database = (of(name, world()) for name in ("session-cookie-claims", "jwt-hs256", "session-db"))
    assert cookie.first_dropped is not None
    assert cookie.first_dropped.payload_bytes == 4_096
    assert cookie.first_refused is None
    assert token.first_refused is not None
    assert token.first_refused.payload_bytes == 6_144
    assert token.first_dropped is None
    assert (database.first_refused, database.first_dropped) == (None, None)
    assert token.carried_per_byte == pytest.approx(4 / 3)
    fits = token.fits_bytes(LIMIT, "header_bytes")
    assert fits is not None
    assert fits == pytest.approx((LIMIT - 447) * 3 / 4, abs=2)
    assert database.fits_bytes(4_096, "cookie_bytes") is None
    assert token.fits_bytes(4_096, "cookie_bytes") is None


def test_what_a_kilobyte_costs_is_found_again() -> None:
    for name, (*_, us_per_kb, _) in STRATEGIES.items():
        found = of(name, world()).us_per_kb
        assert found is not None
        assert found.value == pytest.approx(us_per_kb, rel=0.03, abs=0.01)
        assert found.n == 6


def test_a_launch_without_both_ends_has_no_slope() -> None:
    assert slope({0: {0: 1.0}, 1: {0: 1.1}}) is None
    whole, lacking = {0: 1.0, 1_024: 1.1, 2_048: 1.2}, {0: 1.0, 1_024: 5.0}
    found = slope({0: whole, 1: lacking, 2: whole})
    assert found is not None
    assert found.n == 2
    assert found.value == pytest.approx(100)
    assert slope({0: {0: 1.0, 1_024: 1.0}, 1: {1_024: 1.0, 2_048: 1.0}}) is None


def test_a_disturbed_observation_s_bytes_count_and_its_cpu_does_not() -> None:
    rows = world(launches=3)
    disturbed = rows[0].model_copy(update={"reasons": (Reason(code="cpu-contended", message="others"),)})
    broken = rows[1].model_copy(update={"reasons": (Reason(code="errors", message="wrong"),)})
    points = of("none", [disturbed, broken, *rows[2:]]).points
    assert points[0].launches == 3
    assert points[0].cpu_ms is not None
    assert points[0].cpu_ms.n == 2
    assert points[1].launches == 2
    again = of("none", [disturbed, *rows[1:], rows[0]]).points[0]  # measured again after a resume
    assert again.cpu_ms is not None
    assert again.cpu_ms.n == 3
    assert again.launches == 3


def test_where_every_window_was_disturbed_bytes_are_told_and_cpu_is_open() -> None:
    contended = (Reason(code="cpu-contended", message="others"),)
    made = built([row.model_copy(update={"reasons": contended}) for row in world()])
    assert [chart.name for chart in made.charts] == ["payload-wire"]
    (open_,) = [sentence for sentence in made.sentences if sentence.certainty == "open"]
    assert "cannot be said" in open_.text
    assert any("refused by the load balancer" in sentence.text for sentence in made.sentences)


def test_every_limit_is_a_sentence_that_names_who_and_how_long() -> None:
    told = [sentence.text for sentence in built(world()).sentences]
    (dropped,) = [text for text in told if "browsers drop" in text]
    assert dropped.startswith(
        "session-cookie-claims: browsers drop the cookie from 4,096 bytes of data on: 4,697 bytes > "
    )
    (refused,) = [text for text in told if "refused by" in text]
    assert "jwt-hs256: refused by the load balancer (400) from 6,144 bytes of data on" in refused
    assert "a header line of 8,639 bytes, and the longest let in has 8,190" in refused
    assert "Asked directly: the replica's HTTP server (431)." in refused
    assert any("session-db carries 59 bytes whatever is kept" in text for text in told)


def test_without_a_limit_met_that_is_said() -> None:
    rows = world(sizes=(0, 512))
    assert any("No strategy met a limit with up to 512 bytes" in s.text for s in built(rows).sentences)


def test_certainty_follows_the_launches_and_an_open_interval_is_open() -> None:
    assert {sentence.certainty for sentence in built(world(6)).sentences} == {"firm"}
    assert {sentence.certainty for sentence in built(world(2)).sentences} == {"tentative"}
    loud = [
        observed(name, size, n, **({"cpu_ms": 1.0 + 0.5 * ((n + size // 2_048) % 2)} if name == "session-db" else {}))
        for n in range(6)
        for name in STRATEGIES
        for size in SIZES
    ]
    (open_,) = [sentence for sentence in built(loud).sentences if sentence.certainty == "open"]
    assert open_.text.startswith("Not told apart from no cost at all: session-db")


def test_counts_that_launches_disagree_on_are_named() -> None:
    rows = world(launches=6)
    rows[5] = rows[5].model_copy(update={"values": {**rows[5].values, "credential_bytes": 60.0}})
    made = built(rows)
    assert any("not the same at every launch" in note and "session-db" in note for note in made.notes)
    assert any(sentence.certainty == "open" for sentence in made.sentences)


def test_tables_have_a_cell_for_every_strategy_and_size() -> None:
    made = built(world())
    for table in made.tables:
        assert all(len(row) == len(table.head) for row in table.rows)
    carried = {row[0]: row for row in made.tables[0].rows}
    assert carried["jwt-hs256"][-1] == "8,632 ✗ 400"
    assert carried["session-cookie-claims"][-2] == "4,701 †"
    assert [row[0] for row in made.tables[2].rows] == ["session-db"]  # the only one that a store keeps


def test_charts_are_drawn_and_byte_stable() -> None:
    first, second = built(world()), built(world())
    assert [chart.name for chart in first.charts] == ["payload-wire", "payload-cpu"]
    assert [chart.svg for chart in first.charts] == [chart.svg for chart in second.charts]
    assert b"browsers keep no longer cookie: 4,096 B" in first.charts[0].svg
    assert "session-db +30." in first.charts[1].alt


def test_one_size_has_no_course_to_draw() -> None:
    made = built(world(sizes=(6_144,)))
    assert made.charts == ()
    assert any("refused by the load balancer" in sentence.text for sentence in made.sentences)
