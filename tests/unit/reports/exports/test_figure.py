"""The flat list of figures."""

import pytest

from reports.exports.figure import MEANS, figures
from tests.unit.analysis.synthetic import TRUTHS, World
from tests.unit.reports.exports.made import found

WORLD = World(launches=3, blocks=2, truths=TRUTHS[:4], workloads=("whoami", "orders"), broken=frozenset({3, 9}))


@pytest.fixture(scope="module")
def told():
    summary, trials = found(WORLD)
    return summary, figures(summary, trials)


def test_values_are_the_reports(told):
    summary, found_ = told
    for comparison in summary.comparisons:
        for row in comparison.rows:
            mine = {f.metric.name: f for f in found_ if f.levels == comparison.levels and f.strategy == row.strategy}
            assert mine["cpu_ms_per_request"].value == row.cpu_ms.value
            assert mine["latency_p99_ms"].value == row.latency[0].quantiles["p99"].value.value
            assert mine["connections_peak"].value == row.connections_peak
            for name in set(MEANS) - {"bytes_per_request"}:
                assert (mine[name].value if name in mine else None) == getattr(row, name), name


def test_each_says_n_unit_and_interval(told):
    for figure in told[1]:
        assert figure.n == 3
        assert figure.metric.unit
        if figure.metric.name not in ("connections_peak", "service_p50_ms"):
            assert figure.low <= figure.value <= figure.high
            assert figure.half_width >= 0


def test_the_verdict_is_on_cpu_alone(told):
    with_verdict = [figure for figure in told[1] if figure.verdict is not None]

    assert {figure.metric.name for figure in with_verdict} == {"cpu_ms_per_request"}
    assert len(with_verdict) == 2 * 2  # the control and the reference have none


def test_a_strategy_without_a_valid_trial_keeps_a_line_for_its_verdict():
    world = World(launches=2, truths=TRUTHS[:3], loads=("saturate",), stuck=frozenset({"session-db-claims"}))
    summary, trials = found(world)
    (figure,) = [figure for figure in figures(summary, trials) if figure.strategy == "session-db-claims"]

    assert (figure.value, figure.n, figure.verdict.word, figure.trackable) == (None, 0, "invalid", False)
