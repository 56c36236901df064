"""Scenario files: what is read, and that a mistake names file, key and the nearest right name."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from authbench.design import estimated_seconds
from authbench.errors import UsageError
from authbench.scenario import Scenario
from authbench.scenario_file import PROFILES, SCENARIOS, load_scenario, scenario_names
from authbench.selection import chosen_scenario

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


def with_credentials(kind: str, *, live_sessions: int, **overrides: list[str]) -> Scenario:
    """The quick `compare`, whose whoami uses that working set."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mine.toml"
        text = COMPARE.replace("live_sessions = 500", f"live_sessions = {live_sessions}")
        path.write_text(f'{text}\n[credentials]\nwhoami = "{kind}"\n', encoding="utf-8")
        return load(str(path), **overrides)


def test_workloads_use_the_credentials_that_the_file_says_and_all_in_turn_by_default() -> None:
    scenario = with_credentials("hot", live_sessions=500)
    assert scenario.working_set("whoami") == "hot"
    assert scenario.working_set("orders") == load("compare").working_set("whoami") == "own"


def test_a_scenario_of_before_there_were_working_sets_is_read_as_it_was() -> None:
    """A run that an older authbench began is resumed."""
    kept = load("compare").model_dump(mode="json")
    del kept["credentials"]
    assert Scenario.model_validate(kept) == load("compare")


@pytest.mark.parametrize(
    ("kind", "enough", "needs"),
    [
        ("unique", 4_000, "needs 4000 live sessions in profile 'quick', there are 3999"),
        # 200 for each of two processes, then two loads tried at most twice, each after 20 requests more
        ("cold", 400 + 4 * 520, "needs 2480 live sessions in profile 'quick', there are 2479"),
    ],
)
def test_a_working_set_that_the_live_sessions_cannot_fill_is_refused_with_both_numbers(
    kind: str, enough: int, needs: str
) -> None:
    assert with_credentials(kind, live_sessions=enough).data.live_sessions == enough
    with pytest.raises(UsageError, match=rf"'credentials\.whoami': {kind!r} {needs}"):
        with_credentials(kind, live_sessions=enough - 1)
    with pytest.raises(UsageError, match="needs"):
        with_credentials(kind, live_sessions=enough, replicas=["4"])


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ('whoamy = "hot"', ["'credentials'", "workload 'whoamy'", "'whoami'"]),
        ('whoami = "warm"', ["credentials.whoami", "'hot'", "'warm'"]),
    ],
)
def test_a_mistake_in_the_credentials_is_named(tmp_path: Path, credentials: str, said: list[str]) -> None:
    message = mistaken(tmp_path, "[stack]", f"[credentials]\n{credentials}\n[stack]")
    for words in said:
        assert words in message


@pytest.mark.parametrize("name", [path.stem for path in SCENARIOS.glob("*.toml")])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_scenario_that_comes_with_authbench_can_be_ordered(name: str, profile: str) -> None:
    scenario = chosen_scenario(name, profile, None, [])
    assert scenario.cells() or scenario.semantics or scenario.experiment


def test_a_scenario_that_would_measure_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"is empty and there is neither \[semantics\] nor \[experiment\]"):
        load("compare", load=[])


def test_the_cache_of_tokens_is_asked_hot_cold_and_outgrown() -> None:
    scenario = chosen_scenario("token-cache", "standard", None, [])
    assert {scenario.working_set(cell.workload) for cell in scenario.cells()} == {"hot", "cold", "unique"}
    assert {tuple(shares.items()) for shares in scenario.workloads.values()} == {(("whoami", 1),)}


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


@pytest.mark.parametrize(
    "name", [name for name in scenario_names() if name not in ("compare", "semantics", "strategies", "token-cache")]
)
def test_quick_is_planned_for_two_minutes(name: str) -> None:
    assert estimated_seconds(chosen_scenario(name, "quick", None, [])) <= 120
