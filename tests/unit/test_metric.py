"""Metrics: which trial may say what."""

import pytest

from apps.contract.registry import strategies
from authbench.metric import METRICS, STACK_TIERS
from authbench.scenario_file import SCENARIOS, load_scenario
from tests.unit.analysis.synthetic import a_trial, changed


def test_cpu_a_request_is_the_whole_stack_for_each_right_answer_without_the_generator():
    trial = a_trial(
        load__model="saturate", load__ok=100, cpu_s={"lb": 0.1, "app": 0.2, "db": 0.3, "cache": 0.4, "generator": 9.0}
    )

    assert METRICS["cpu_ms_per_request"].of(trial) == pytest.approx(10.0)
    assert sum(METRICS[f"cpu_ms_per_request_{tier}"].of(trial) for tier in STACK_TIERS) == pytest.approx(10.0)


def test_the_latency_of_a_saturated_system_is_no_metric():
    trial = a_trial()

    assert METRICS["latency_p50_ms"].of(trial) is not None
    assert METRICS["latency_p50_ms"].of(changed(trial, load__model="saturate")) is None


def test_cpu_and_capacity_come_from_saturation_only():
    assert METRICS["cpu_ms_per_request"].of(a_trial()) is None
    assert METRICS["capacity_rps"].of(a_trial()) is None


def test_counts_are_divided_by_requests_sent():
    trial = a_trial(load__sent=200, load__ok=100, load__bytes_in=1000, load__bytes_out=3000)

    assert METRICS["bytes_per_request"].of(trial) == 20.0


@pytest.mark.parametrize(
    "name", ["connections_peak", "statements_per_request", "cache_commands_per_request", "connections_opened_per_s"]
)
def test_a_store_that_was_not_read_gives_no_number(name):
    assert METRICS[name].of(a_trial(database=None, cache=None)) is None


def test_a_trial_without_a_right_answer_gives_no_number():
    trial = a_trial(load__model="saturate", load__ok=0, load__sent=0)

    assert METRICS["cpu_ms_per_request"].of(trial) is None
    assert METRICS["bytes_per_request"].of(trial) is None


def test_every_metric_has_a_unit_and_its_own_name():
    assert all(metric.unit and metric.label and metric.name == name for name, metric in METRICS.items())


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_asks_for_metrics_that_exist(path):
    scenario = load_scenario(path.stem, known_strategies=strategies().keys(), known_metrics=METRICS)
    assert scenario.answers or scenario.semantics or scenario.experiment
