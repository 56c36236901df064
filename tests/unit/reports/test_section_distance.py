from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from authbench.experiments.relay.measures import DIRECT, KIND, LATE, THROUGH
from authbench.observed import Observation
from authbench.records import Manifest, Trial
from reports.charts.canvas import styled
from reports.distances import Course, courses, overtakings, relay_errors, settings_of
from reports.sections.distance import section
from reports.sections.section import Found, Section
from tests.unit.analysis.synthetic import TRUTHS, World, changed, histogram_of, make

DISTANCES = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
RELAY_MS = 0.08  # what it costs by itself, in every level
# ms of p50 without waiting for stores; `jwt-row` is made dear, so that it overtakes those with two exchanges
BASE_MS: Mapping[str, float] = {
    "none": 1.0,
    "session-db": 2.5,
    "session-cache": 2.1,
    "session-cache-claims": 1.4,
    "jwt-hs256": 1.2,
    "jwt-row": 3.0,
}
CHOSEN = tuple(truth for truth in TRUTHS if truth.name in BASE_MS)
EXCHANGES = {truth.name: truth.sql + truth.commands for truth in CHOSEN}


@cache
def world(launches: int = 6, distances: tuple[float, ...] = DISTANCES) -> tuple[Manifest, tuple[Trial, ...]]:
    """A run in which latency is what is above and a round trip an exchange; launches of a distance alternate."""
    made = World(launches=launches * len(distances), truths=CHOSEN, requests=200)
    manifest, trials, _ = make(made)
    random = np.random.default_rng(5)
    bias = {(launch, name): random.normal(0, 0.01) for launch in range(made.launches) for name in BASE_MS}
    told = manifest.model_copy(
        update={
            "settings": {**manifest.settings, "replica": {"threads": "4", "workers": "1"}},
            "question": manifest.question.model_copy(
                update={"factors": {**manifest.question.factors, "distance_ms": distances}}
            ),
        }
    )
    return told, tuple(_at(trial, distances, bias[trial.launch, trial.strategy], random) for trial in trials)


def _at(trial: Trial, distances: tuple[float, ...], bias: float, random: np.random.Generator) -> Trial:
    distance = distances[trial.launch % len(distances)]
    middle = BASE_MS[trial.strategy] * (1 + bias) + EXCHANGES[trial.strategy] * (distance + RELAY_MS)
    latency = histogram_of(random.normal(1000 * middle, 20, 200))
    served = min(trial.load.achieved_rps, 8000 / middle)
    return changed(
        trial,
        cell={**trial.cell, "distance_ms": distance},
        load__latency_hist=latency,
        load__achieved_rps=served,
    )


def relay_rows(launches: int = 6, own_us: float = 80.0) -> list[Observation]:
    random = np.random.default_rng(3)
    rows = []
    for launch in range(launches):
        for distance in DISTANCES:
            for store, pressure in (("postgres", "none"), ("valkey", "none"), ("valkey", "400/s on 16")):
                direct = random.normal(100, 3, 100)
                through = random.normal(100 + own_us + 1000 * distance, 3, 100)
                rows.append(
                    Observation(
                        kind=KIND,
                        launch=launch,
                        levels={"distance_ms": distance, "store": store, "pressure": pressure},
                        values={"early": 0},
                        histograms={
                            DIRECT: histogram_of(direct),
                            THROUGH: histogram_of(through),
                            LATE: histogram_of(np.full(200, 4)),
                        },
                    )
                )
    return rows


def of(strategy: str, launches: int = 6) -> Course:
    manifest, trials = world(launches)
    (setting,) = settings_of(trials)
    return next(each for each in courses(manifest.contenders, trials, setting) if each.strategy == strategy)


def built(launches: int = 6, observations: list[Observation] | None = None) -> Section:
    manifest, trials = world(launches)
    with styled():
        made = section(Found(manifest, trials, (), relay_rows(launches) if observations is None else observations))
    assert made is not None
    return made


def texts(made: Section) -> str:
    return "\n".join(sentence.text for sentence in made.sentences)


def test_there_is_no_section_where_no_distance_was_varied() -> None:
    manifest, trials, _ = make(World(launches=2))
    assert section(Found(manifest, trials, (), ())) is None


@pytest.mark.parametrize("strategy", BASE_MS)
def test_the_slope_is_the_number_of_exchanges(strategy: str) -> None:
    course = of(strategy)
    assert course.slope is not None
    assert course.slope.value == pytest.approx(EXCHANGES[strategy], abs=0.02)
    assert course.slope.low is not None
    assert course.slope.high is not None
    assert course.slope.low - 0.01 <= EXCHANGES[strategy] <= course.slope.high + 0.01
    assert (course.exchanges, course.agree, course.slope.n) == (EXCHANGES[strategy], True, 6)


def test_half_of_the_latency_is_distance_from_where_the_way_weighs_as_much_as_all_else() -> None:
    course = of("session-db")
    assert course.half_ms == pytest.approx((2.5 + 2 * RELAY_MS) / 2, rel=0.05)
    assert of("jwt-hs256").half_ms is None


def test_who_overtakes_whom_is_named_where_it_is() -> None:
    manifest, trials = world()
    (setting,) = settings_of(trials)
    found = {
        (each.far.strategy, each.near.strategy): each
        for each in overtakings(courses(manifest.contenders, trials, setting))
    }
    crossing = found["jwt-row", "session-cache"]
    truth = (3.0 - 2.1) / 1 - RELAY_MS
    assert crossing.told
    assert crossing.at.low is not None
    assert crossing.at.high is not None
    assert crossing.at.low <= truth <= crossing.at.high
    assert crossing.at.at_ms == pytest.approx(truth, abs=0.1)
    # As many exchanges: parallel, whatever the noise says.
    assert not {("session-db", "session-cache"), ("session-cache", "session-db")} & found.keys()
    assert ("jwt-hs256", "session-db") not in found  # faster at every distance


def test_one_repetition_gives_no_interval_and_no_claim() -> None:
    manifest, trials = world(1)
    (setting,) = settings_of(trials)
    found = overtakings(courses(manifest.contenders, trials, setting))
    assert found
    assert not any(each.told for each in found)
    made = built(1)
    assert {sentence.certainty for sentence in made.sentences} <= {"tentative", "open"}
    assert "cannot say" in texts(made)


def test_a_launch_that_failed_does_not_shift_those_after_it() -> None:
    manifest, trials = world()
    (setting,) = settings_of(trials)
    broken = tuple(
        changed(trial, reasons=({"code": "steal", "message": "steal"},)) if trial.launch == 6 else trial
        for trial in trials
    )
    whole = next(each for each in courses(manifest.contenders, trials, setting) if each.strategy == "session-db")
    less = next(each for each in courses(manifest.contenders, broken, setting) if each.strategy == "session-db")
    assert set(less.lines) == set(whole.lines) - {1}
    assert all(less.lines[each] == whole.lines[each] for each in less.lines)


def test_six_launches_are_firm_and_say_what_was_made() -> None:
    made = built()
    said = texts(made)
    assert "session-db 2.0" in said
    assert "jwt-row overtakes session-cache at 0.8" in said
    assert "Slopes and counts agree within 5%" in said
    assert made.sentences[0].certainty == "firm"
    assert len(made.charts) == 2
    assert "jwt-row" in made.charts[0].alt


def test_throughput_is_shown_where_it_was_measured() -> None:
    table = next(table for table in built().tables if table.title.startswith("Right answers"))
    assert table.head == ("strategy", "0 ms", "0.25 ms", "0.5 ms", "1 ms", "2 ms", "5 ms")
    assert {row[0] for row in table.rows} == set(BASE_MS)


def test_the_relay_s_error_is_of_all_launches_together() -> None:
    errors = relay_errors(relay_rows(3))
    assert len(errors) == len(DISTANCES) * 3
    assert all(each.launches == 3 for each in errors)
    assert all(each.error_us["p50"] == pytest.approx(80, abs=4) for each in errors)  # 1 µs steps, 3 digits beyond 2 ms


def test_an_error_beyond_50_us_is_said() -> None:
    assert "more than 50 µs" in texts(built())
    small = built(observations=relay_rows(own_us=10))
    assert "more than 50 µs" not in texts(small)
    assert "No exchanges were answered early" in texts(small)
    assert "handed on within 4 µs (p99)" in texts(small)


def test_without_the_relay_s_error_a_note_says_so() -> None:
    made = built(observations=[])
    assert any("was not measured" in note for note in made.notes)
    assert not any("error" in table.title for table in made.tables)


def test_settings_that_differ_otherwise_get_tables_of_their_own() -> None:
    manifest, trials = world()
    more = [changed(trial, cell={**trial.cell, "replicas": 4}) for trial in trials]
    with styled():
        made = section(Found(manifest, (*trials, *more), (), ()))
    assert made is not None
    assert [chart.name for chart in made.charts] == [
        "distance-latency",
        "distance-slope",
        "distance-latency-2",
        "distance-slope-2",
    ]
    assert any("replicas = 4" in table.title for table in made.tables)
