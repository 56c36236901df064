import pytest
from pydantic import ValidationError

from apps.contract.registry import strategies
from authbench.experiments.payload.plan import PayloadPlan
from authbench.metric import METRICS
from authbench.scenario_file import load_scenario


def test_the_estimate_grows_with_what_is_measured() -> None:
    plan = PayloadPlan(kind="payload", payload_bytes=(0, 100, 200))
    assert plan.estimated_seconds(2, 2) < plan.estimated_seconds(2, 3) < plan.estimated_seconds(3, 3)


@pytest.mark.parametrize(
    "wrong", [{"payload_bytes": ()}, {"payload_bytes": (-1,)}, {"window_s": 0}, {"users": 0}, {"levels": (1,)}]
)
def test_what_cannot_be_measured_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        PayloadPlan.model_validate({"kind": "payload", "payload_bytes": (1,)} | wrong)


@pytest.mark.parametrize(("profile", "most_s"), [("quick", 120 - 25), ("standard", 20 * 60), ("thorough", 2 * 3600)])
def test_the_scenario_meets_every_limit_in_its_time(profile: str, most_s: float) -> None:
    scenario = load_scenario("payload", profile, known_strategies=strategies().keys(), known_metrics=METRICS.keys())
    (plan,) = scenario.experiment
    assert isinstance(plan, PayloadPlan)
    assert max(plan.payload_bytes) == 6_144
    assert plan.users < scenario.data.users
    assert plan.estimated_seconds(len(scenario.factors.strategy), scenario.profile.launches) < most_s
