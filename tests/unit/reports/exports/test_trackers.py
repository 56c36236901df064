"""What github-action-benchmark and Bencher are given."""

import json
import re

import jsonschema
import pytest

from authbench.metric import METRICS
from reports.exports.action_benchmark import action_benchmark
from reports.exports.bencher import bencher, slug
from reports.exports.figure import figures
from tests.unit.analysis.synthetic import TRUTHS, World
from tests.unit.reports.exports.made import found
from tests.unit.reports.folder import hostile_world

NAMED = World(launches=6, truths=TRUTHS[:3], loads=("saturate", "rate@0.3", "rate@0.6"))
BENCHMARK = {  # as its README describes customSmallerIsBetter
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": "string", "pattern": "^± "},
            "extra": {"type": "string"},
        },
    },
}
BENCHER = {  # bencher.dev/docs/reference/bencher-metric-format
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64},
        "additionalProperties": {
            "type": "object",
            "required": ["value"],
            "additionalProperties": False,
            "properties": {key: {"type": "number"} for key in ("value", "lower_value", "upper_value")},
        },
    },
    "propertyNames": {"minLength": 1, "maxLength": 1024},
}


@pytest.fixture(scope="module")
def told():
    summary, trials = found(NAMED)
    return summary, figures(summary, trials)


def test_the_array_has_one_entry_a_name_and_less_is_always_better(told):
    entries = json.loads(action_benchmark(told[1]))
    names = [entry["name"] for entry in entries]
    labels = {metric.label: metric for metric in METRICS.values()}

    jsonschema.validate(entries, BENCHMARK)
    assert len(set(names)) == len(names)
    assert all(labels[re.search(r": (.*) \(", name)[1]].better == "lower" for name in names)
    assert "session-db: latency p50 from the intended start (whoami, 2 replicas, rate@0.6)" in names


def test_the_range_is_half_the_interval(told):
    summary, found_ = told
    row = summary.comparisons[0].row("session-db-claims")
    entry = next(
        e for e in json.loads(action_benchmark(found_)) if e["name"].startswith("session-db-claims: CPU a req")
    )

    assert entry["value"] == pytest.approx(row.cpu_ms.value, rel=1e-5)
    assert float(entry["range"].removeprefix("± ")) == pytest.approx((row.cpu_ms.high - row.cpu_ms.low) / 2, rel=1e-4)
    assert entry["unit"] == "ms"
    assert "better: outside ±3 %" in entry["extra"]


def test_a_quantile_without_support_is_no_trend(told):
    names = "".join(entry["name"] for entry in json.loads(action_benchmark(told[1])))

    assert "latency p90" in names
    assert "latency p999" not in names
    assert "latency-p999-ms" not in bencher(told[1]).decode()


def test_bencher_metric_format(told):
    summary, found_ = told
    told_ = json.loads(bencher(found_))
    cpu = told_["session-db (whoami, 2 replicas)"]["cpu-ms-per-request"]
    estimate = summary.comparisons[0].row("session-db").cpu_ms

    jsonschema.validate(told_, BENCHER)
    assert cpu == {"value": estimate.value, "lower_value": estimate.low, "upper_value": estimate.high}
    assert "capacity-rps" in told_["session-db (whoami, 2 replicas)"]
    assert "latency-p50-ms" in told_["session-db (whoami, 2 replicas, rate@0.6)"]
    for measures in told_.values():
        for metric in measures.values():
            assert metric.get("lower_value", metric["value"]) <= metric["value"]
            assert metric["value"] <= metric.get("upper_value", metric["value"])


def test_every_metric_has_a_slug_of_its_own():
    slugs = {slug(metric) for metric in METRICS.values()}

    assert len(slugs) == len(METRICS)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) and len(each) <= 64 for each in slugs)


def test_what_may_not_be_judged_is_in_neither():
    summary, trials = found()
    told = figures(summary, trials)

    for text in (action_benchmark(told).decode(), bencher(told).decode()):
        assert "session-cache-claims" in text
        assert "session-db-claims" not in text


def test_hostile_names_are_one_line_each():
    summary, trials = found(hostile_world())
    told = figures(summary, trials)

    jsonschema.validate(json.loads(action_benchmark(told)), BENCHMARK)
    jsonschema.validate(json.loads(bencher(told)), BENCHER)
    assert all(name.isprintable() for name in json.loads(bencher(told)))
