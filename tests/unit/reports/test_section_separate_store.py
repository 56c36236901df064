"""The section on a separate session store: who holds twice the connections, and who does not."""

from collections.abc import Mapping

from authbench.records import Trial
from reports.charts.canvas import styled
from reports.sections.section import Found, Section
from reports.sections.separate_store import section
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make

# strategy -> (peak, statements a request) with one server, then with two at each of them
TRUTH: Mapping[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "session-db": ((8, 2), (8, 1), (8, 1)),
    "session-db-claims": ((8, 1), (0, 0), (8, 1)),
    "session-cache": ((8, 1), (8, 1), (0, 0)),
    "jwt-hs256": ((0, 0), (0, 0), (0, 0)),
}


def found(levels: tuple[str, ...] = ("shared", "separate"), *, factor: bool = True) -> Found:
    truths = tuple(truth for truth in TRUTHS if truth.name in TRUTH)
    manifest, trials, _ = make(World(launches=6, truths=truths, loads=("saturate",), requests=60))
    factors = {**manifest.question.factors, **({"session_store": levels} if factor else {})}
    manifest = manifest.model_copy(update={"question": manifest.question.model_copy(update={"factors": factors})})
    made = [_at(trial, 2 * trial.trial + n, level) for trial in trials for n, level in enumerate(levels)]
    return Found(manifest, made, (), ())


def _at(trial: Trial, number: int, level: str) -> Trial:
    base, (one, users, sessions) = trial.database, TRUTH[trial.strategy]
    assert base is not None
    databases = [
        base.model_copy(update={"connections_peak": held, "statements": sql * trial.load.sent, "connections_opened": 0})
        for held, sql in ((one, (0, 0)) if level == "shared" else (users, sessions))
    ]
    return changed(
        trial,
        trial=number,
        cell={**trial.cell, "session_store": level},
        database=databases[0],
        session_database=databases[1],
    )


def built(given: Found) -> Section:
    with styled():
        told = section(given)
    assert told is not None
    return told


def test_it_says_for_whom_twice_the_connections_holds() -> None:
    (sentence,) = built(found()).sentences
    assert sentence.certainty == "firm"
    assert "at both servers, twice as many as with one: session-db (8 → 8 + 8);" in sentence.text
    assert "at the sessions' server instead, none at the users': session-db-claims (8 → 0 + 8);" in sentence.text
    assert "read no session table: session-cache (8 → 8 + 0);" in sentence.text
    assert sentence.text.endswith("none at either: jwt-hs256.")


def test_the_table_holds_connections_and_statements_at_each_server() -> None:
    (table,) = built(found()).tables
    by_name = {row[0]: row[1:] for row in table.rows}
    assert by_name["session-db"] == ("8", "2.00", "0.0", "8", "8", "16", "1.00", "1.00", "0.0", "0.0")
    assert by_name["session-db-claims"] == ("8", "1.00", "0.0", "0", "8", "8", "0.00", "1.00", "0.0", "0.0")


def test_one_level_alone_says_nothing() -> None:
    told = built(found(("shared",)))
    assert [sentence.certainty for sentence in told.sentences] == ["open"]
    assert told.charts


def test_other_scenarios_have_no_such_section() -> None:
    assert section(found(factor=False)) is None
