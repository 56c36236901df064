"""Scenario files: what is read, and that a mistake names file, key and the nearest right name."""

from pathlib import Path

import pytest

from authbench.errors import UsageError
from authbench.scenario import SCENARIOS, load_scenario, scenario_names

STRATEGIES = {
    "none", "session-db", "session-db-claims", "session-cache", "session-cache-claims",
    "session-cached-db", "session-file", "session-cookie-claims", "jwt-hs256", "jwt-row",
}  # fmt: skip
METRICS = {
    "cpu_ms_per_request", "latency_p50_ms", "latency_p99_ms", "connections_peak", "statements_per_request",
    "cache_commands_per_request", "bytes_per_request",
}  # fmt: skip
COMPARE = (SCENARIOS / "compare.toml").read_text(encoding="utf-8")


def load(path: str, profile: str = "quick", **overrides: list[str]):
    return load_scenario(path, profile, known_strategies=STRATEGIES, known_metrics=METRICS, overrides=overrides)


def mistaken(tmp_path: Path, old: str, new: str) -> str:
    assert old in COMPARE
    path = tmp_path / "mine.toml"
    path.write_text(COMPARE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(str(path))
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_compare_is_there_with_ten_strategies_and_three_workloads() -> None:
    assert "compare" in scenario_names()
    scenario = load("compare", "thorough")
    assert set(scenario.factors.strategy) == STRATEGIES
    assert scenario.factors.workload == ("whoami", "orders", "mixed")
    assert len(scenario.cells()) == 10 * 3 * 3


def test_quick_asks_whoami_only_with_both_load_models_on_six_launches() -> None:
    scenario = load("compare")
    assert scenario.factors.workload == ("whoami",)
    assert {cell.rate_share is None for cell in scenario.cells()} == {True, False}
    assert scenario.profile.launches >= 6


def test_set_replaces_levels() -> None:
    scenario = load("compare", strategy=["none", "jwt-row"], replicas=["3"])
    assert scenario.factors.strategy == ("none", "jwt-row")
    assert {cell.replicas for cell in scenario.cells()} == {3}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("margin = 0.03 ", "margn = 0.03 ", ["'margn'", "'margin'"]),
        ("saturate_s = 0.25", "saturat_s = 0.25", ["profiles.quick.saturat_s", "'saturate_s'"]),
        ('"jwt-hs256", "jwt-row"', '"jwt-hs265", "jwt-row"', ["'jwt-hs265'", "'jwt-hs256'", "factors.strategy"]),
        ("replicas = [2]", "replicas = [0]", ["factors.replicas", "greater than or equal to 1"]),
        ('load = ["saturate", "rate@0.3", "rate@0.6"]', 'load = ["saturate", "rate@1.3"]', ["factors", "rate@1.3"]),
        ("whoami = 60", "whoamy = 60", ["workloads.mixed", "'whoamy'", "'whoami'"]),
        ('"latency_p99_ms"', '"latency_p98_ms"', ["answers", "latency_p98_ms"]),
        ('question = "', 'question = ', ["not TOML"]),
        ('control = "none" ', "", ["'control'", "missing"]),
        ('arrivals = "poisson"', 'arrivals = "sometimes"', ["load.arrivals", "sometimes"]),
    ],
)  # fmt: skip
def test_a_mistake_names_file_key_and_the_nearest_right_name(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    message = mistaken(tmp_path, old, new)
    for words in said:
        assert words in message


def test_unknown_scenario_profile_and_factor_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="did you mean 'compare'"):
        load("compair")
    with pytest.raises(UsageError, match="did you mean 'quick'"):
        load("compare", "quik")
    with pytest.raises(UsageError, match="did you mean 'strategy'"):
        load("compare", strategi=["none"])
    with pytest.raises(UsageError, match="names a level twice"):
        load("compare", strategy=["none", "none"])
    with pytest.raises(UsageError, match="lacks 'saturate'"):
        load("compare", load=["rate@0.3"])
