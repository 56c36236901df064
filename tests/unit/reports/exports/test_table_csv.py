"""CSV for spreadsheets and data frames."""

import csv
import io
from dataclasses import replace

import pytest

from authbench.metric import METRICS
from reports.exports.figure import figures
from reports.exports.table_csv import summary_csv, trials_csv
from tests.unit.analysis.synthetic import TRUTHS, World, changed, make
from tests.unit.reports.exports.made import found
from tests.unit.reports.folder import HOSTILE, hostile_world


def rows_of(data: bytes) -> list[dict[str, str]]:
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_one_row_a_trial_with_every_metric():
    _, trials, _ = make(World(launches=2, truths=TRUTHS[:3], broken=frozenset({2})))
    rows = rows_of(trials_csv(trials))

    assert len(rows) == len(trials)
    assert set(METRICS) <= set(rows[0])
    for row, trial in zip(rows, trials, strict=True):
        assert row["strategy"] == trial.strategy
        assert int(row["replicas"]) == trial.cell["replicas"]
        for name, metric in METRICS.items():
            value = metric.of(trial)
            assert (float(row[name]) if row[name] else None) == value, name
    assert (rows[2]["valid"], rows[2]["reasons"]) == ("false", "steal")
    assert (rows[3]["valid"], rows[3]["reasons"]) == ("true", "")


def test_other_factors_have_columns_after_the_usual_four():
    _, trials, _ = make(World(launches=1, truths=TRUTHS[:1]))
    told = [changed(trial, cell={**trial.cell, "distance": 0.25, "carrier": "+cookie"}) for trial in trials]
    head = trials_csv(told).decode().split("\r\n")[0].split(",")

    assert head[6:12] == ["strategy", "workload", "load", "replicas", "carrier", "distance"]
    assert rows_of(trials_csv(told))[0]["distance"] == "0.25"
    assert rows_of(trials_csv(told))[0]["carrier"] == "'+cookie"


def test_one_row_a_figure_and_one_a_rejected_contender():
    summary, trials = found()
    told = figures(summary, trials)
    rows = rows_of(summary_csv(summary, told))

    assert len(rows) == len(told) + len(summary.rejected)
    first = rows[0]
    assert (first["strategy"], first["workload"], first["load"]) == ("none", "whoami", "saturate")
    assert float(first["value"]) == summary.comparisons[0].rows[0].cpu_ms.value
    assert (first["metric"], first["unit"], first["n"]) == ("cpu_ms_per_request", "ms", "2")
    assert (rows[-1]["strategy"], rows[-1]["value"], rows[-1]["verdict"]) == ("session-cache", "", "invalid")
    assert {row["supported"] for row in rows if row["metric"] == "latency_p999_ms"} == {"false"}


def test_numbers_below_zero_stay_numbers():
    summary, trials = found()
    figure = replace(figures(summary, trials)[0], low=-0.25)
    (row, *_) = rows_of(summary_csv(summary, [figure]))

    assert row["low"] == "-0.25"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r\n@", "＝"])
def test_no_text_is_a_formula(start):
    name = f'{start}HYPERLINK("http://evil.example/x",1)'
    _, trials, _ = make(World(launches=1, truths=TRUTHS[:1], loads=("saturate",)))
    told = changed(trials[0], cell={**trials[0].cell, "strategy": name, name: name}, limited_by=name)
    data = trials_csv([told])

    for row in csv.reader(io.StringIO(data.decode(), newline="")):
        assert not [cell for cell in row if cell.strip().startswith(tuple("=@＝+-"))]
    assert rows_of(data)[0]["limited_by"].startswith("'")


def test_hostile_names_stay_in_their_cells():
    summary, trials = found(hostile_world())
    for data in (trials_csv(trials), summary_csv(summary, figures(summary, trials))):
        rows = rows_of(data)
        assert all(None not in row and None not in row.values() for row in rows)
        assert {row["strategy"] for row in rows} >= {"a|b`c` # heading", f"'{HOSTILE[2]}"}
