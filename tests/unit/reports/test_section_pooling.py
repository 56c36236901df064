"""The section on pooling: peaks against the formula, what broke it and what mends it, and what that is worth."""

from collections.abc import Mapping

from authbench.records import Reason, Trial
from reports.charts.canvas import styled
from reports.sections.pooling import section
from reports.sections.section import Found, Section
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make

SERVINGS, POOLINGS = ("threads", "asgi"), ("new", "persistent", "pool", "pgbouncer")
PEAKS: Mapping[tuple[str, str], int] = {
    ("threads", "new"): 7,
    ("threads", "persistent"): 8,
    ("threads", "pool"): 8,
    ("threads", "pgbouncer"): 4,
    ("asgi", "new"): 18,  # two of them closing
    ("asgi", "persistent"): 251,
    ("asgi", "pool"): 8,
    ("asgi", "pgbouncer"): 4,
}


def found(
    *, launches: int = 6, reasons: tuple[Reason, ...] = (), factors: bool = True, warnings: tuple[str, ...] = ()
) -> Found:
    """session-db holds PEAKS, jwt-hs256 nothing; 16 requests in flight on 2 replicas of 4 threads."""
    truths = tuple(truth for truth in TRUTHS if truth.name in ("session-db", "jwt-hs256"))
    manifest, trials, _ = make(World(launches=launches, truths=truths, loads=("saturate",), requests=60))
    levels = {**manifest.question.factors, **({"serving": SERVINGS, "pooling": POOLINGS} if factors else {})}
    manifest = manifest.model_copy(
        update={
            "question": manifest.question.model_copy(update={"factors": levels}),
            "settings": {
                "replica": {"workers": "1", "threads": "4"},
                "postgresql": {"max_connections": "200"},
                "pgbouncer": {"default_pool_size": "4"},
            },
            "warnings": warnings,
        }
    )
    made = [
        _at(trial, number, serving, pooling, reasons)
        for trial in trials
        for number, (serving, pooling) in enumerate(PEAKS)
    ]
    return Found(manifest, made, (), ())


def _at(trial: Trial, number: int, serving: str, pooling: str, reasons: tuple[Reason, ...]) -> Trial:
    base = trial.database
    assert base is not None
    held = PEAKS[serving, pooling] if trial.strategy == "session-db" else 0
    fresh = pooling == "new" or (serving, pooling) == ("asgi", "persistent")
    counts = {"connections_peak": held, "connections_opened": trial.load.sent if fresh and held else 0}
    return changed(
        trial,
        trial=trial.trial * len(PEAKS) + number,
        cell={**trial.cell, "serving": serving, "pooling": pooling},
        database=base.model_copy(update=counts),
        load__connections=16,
        reasons=reasons,
    )


def built(given: Found) -> Section:
    with styled():
        told = section(given)
    assert told is not None
    return told


def test_every_way_stands_beside_its_formula_and_the_limit_that_both_lead_to() -> None:
    table = built(found()).tables[0]
    by_name = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    assert list(by_name) == [f"{serving} · {pooling}" for serving in SERVINGS for pooling in POOLINGS]
    threads, asgi = by_name["threads · persistent"], by_name["asgi · persistent"]
    assert (threads["formula"], threads["expected"]) == ("replicas × threads", "8")
    assert (threads["session-db"], threads["jwt-hs256"], threads["opened a request"]) == ("8", "0", "0.00")
    assert (threads["limit at, by formula"], threads["limit at, by peak"]) == ("25", "25")
    assert (asgi["formula"], asgi["expected"], asgi["session-db"]) == ("requests in flight", "16", "251")
    assert (asgi["opened a request"], asgi["limit at, by formula"], asgi["limit at, by peak"]) == ("1.00", "12", "1")
    assert by_name["asgi · pgbouncer"]["limit at, by peak"] == "never"


def test_what_breaks_the_formula_is_told_with_what_mends_it() -> None:
    told = built(found())
    texts = [sentence.text for sentence in told.sentences]
    assert texts[0].startswith("7 of 8 ways to serve and to pool held no more")
    assert texts[0].endswith("asgi · persistent held more.")
    assert "held 251 connections with 16 requests in flight, 15.7 times the 16 expected, and opened 1.00" in texts[1]
    assert "psycopg's pool 8; PgBouncer in transaction mode 4" in texts[1]
    assert any(text.startswith("jwt-hs256 held none") for text in texts)
    assert {sentence.certainty for sentence in told.sentences} == {"firm"}
    assert [chart.name for chart in told.charts] == ["pooling-connections", "pooling-cost"]


def test_few_launches_are_tentative() -> None:
    assert {sentence.certainty for sentence in built(found(launches=2)).sentences} == {"tentative"}


def test_windows_on_a_busy_machine_give_connections_and_no_cost() -> None:
    told = built(found(launches=2, reasons=(Reason(code="cpu-contended", message="others"),)))
    assert [chart.name for chart in told.charts] == ["pooling-connections"]
    assert any("disturbed by other programs" in note for note in told.notes)
    assert all(set(row[1:]) == {"–"} for row in told.tables[1].rows)


def test_what_could_not_be_measured_is_said() -> None:
    why = "not measured: 2, threads, pgbouncer: PgBouncer: no pgbouncer found"
    told = built(found(launches=2, warnings=(why, "something else")))
    assert why in told.notes
    assert "something else" not in told.notes


def test_other_scenarios_have_no_such_section() -> None:
    assert section(found(launches=2, factors=False)) is None
