import pytest

from authbench.analysis.validity import Limits, machine_reasons
from authbench.experiments.payload.measures import DISTURBED, MEASURES
from authbench.experiments.payload.window import cpu_values
from authbench.generator import Fire, nothing_sent
from authbench.probes.cpu import CpuUse

NOTHING = nothing_sent(Fire(url="", requests="", model="saturate", connections=1), "timerfd")
QUIET = CpuUse(cpu_s={"lb": 0.01, "app": 0.2, "db": 0.03, "cache": 0.0}, replica_cpu_s={}, steal_share=0, throttled_s=0)


def test_cpu_is_charged_to_right_answers_and_tiers_add_up() -> None:
    values = cpu_values(NOTHING.model_copy(update={"ok": 100, "sent": 110}), QUIET)
    assert values["cpu_ms"] == pytest.approx(2.4)
    assert values["cpu_ms_app"] == pytest.approx(2.0)
    assert values["cpu_ms"] == pytest.approx(
        sum(values[f"cpu_ms_{tier}"] or 0 for tier in ("lb", "app", "db", "cache"))
    )
    assert values.keys() <= {measure.name for measure in MEASURES}


def test_without_an_answer_there_is_no_cpu_a_request() -> None:
    assert cpu_values(NOTHING, QUIET) == {"requests": 0.0, "cpu_ms": None}


def test_what_others_took_is_a_reason_against_cpu_alone() -> None:
    limits = Limits()
    assert machine_reasons(QUIET.steal_share, limits.others_cpu, limits) == ()
    assert machine_reasons(QUIET.steal_share, None, limits) == ()
    stolen = CpuUse(cpu_s={}, replica_cpu_s={}, steal_share=0.03, throttled_s=0)
    found = machine_reasons(stolen.steal_share, 0.2, limits)
    assert [reason.code for reason in found] == ["steal", "cpu-contended"]
    assert {reason.code for reason in found} <= DISTURBED


def test_every_measure_is_named_once() -> None:
    names = [measure.name for measure in MEASURES]
    assert len(names) == len(set(names))
