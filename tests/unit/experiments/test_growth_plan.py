"""What the growth experiment may be asked, what it sends, and when a window does not count."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from apps.contract.registry import strategies
from authbench.analysis.validity import machine_reasons
from authbench.experiments.growth.measures import MEASURES, STAGES
from authbench.experiments.growth.plan import GrowthPlan, StormPlan
from authbench.experiments.growth.requests import endpoint_of, write_logins, write_refreshes, write_whoami
from authbench.experiments.growth.tables import Filling
from authbench.experiments.growth.windows import Counts

STORM = StormPlan(in_flight=(2, 16), logins=8, rate_rps=50, seconds=3)
SESSION = {"cookies": {"__Host-sessionid": "k" * 32}}
TOKENS = {"access_token": "a.b.c", "refresh_token": "r" * 70}


def row(number: int, credential: object) -> dict[str, object]:
    return {"id": number, "username": f"user{number:05}", "permissions": [], "credential": credential}


def written(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_has_to_ask_one_thing() -> None:
    with pytest.raises(ValidationError, match="nothing would be measured"):
        GrowthPlan(kind="growth")
    assert GrowthPlan(kind="growth", storm=STORM).rows == ()
    with pytest.raises(ValidationError, match="empties it of the logins"):
        GrowthPlan(kind="growth", rows=(1_000,), storm=STORM)


def test_more_of_anything_takes_longer() -> None:
    plan = GrowthPlan(kind="growth", rows=(1_000, 10_000))
    took = plan.estimated_seconds(2, 2)
    assert plan.estimated_seconds(4, 2) > took
    assert plan.estimated_seconds(2, 3) == pytest.approx(took * 1.5)
    for more in ({"rows": (1_000, 1_000_000)}, {"expired": (0.0, 0.9)}):
        assert plan.model_copy(update=more).estimated_seconds(2, 2) > took
    storm = GrowthPlan(kind="growth", storm=STORM)
    longer = storm.model_copy(update={"storm": STORM.model_copy(update={"logins": 80})})
    assert longer.estimated_seconds(2, 2) > storm.estimated_seconds(2, 2)


def test_live_and_ended_logins_are_all_there_are() -> None:
    filling = Filling(strategies()["session-db"], 1_000, 0.9)
    assert (filling.live, filling.ended) == (100, 900)
    assert filling.levels(stage=STAGES[0]) == {
        "strategy": "session-db",
        "rows": 1_000,
        "expired": 0.9,
        "stage": "grown",
    }


@pytest.mark.parametrize(
    ("strategy", "credential", "endpoint"),
    [
        ("session-db", SESSION, "whoami"),
        ("session-cache", SESSION, "whoami"),
        ("jwt-refresh", TOKENS, "refresh"),
        ("jwt-hs256", {"access_token": "a.b.c"}, "whoami"),
    ],
)
def test_the_endpoint_is_the_one_that_reads_what_grows(strategy: str, credential: object, endpoint: str) -> None:
    assert endpoint_of(strategies()[strategy], row(1, credential)) == endpoint


def test_each_user_is_asked_for_once(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    rows = [row(number, SESSION) for number in range(30)]
    write_whoami(path, rows, strategies()["session-db"], "http://127.0.0.1:20000", 1)
    assert sorted(str(each["contains"]) for each in written(path)) == [f'"username":"user{n:05}"' for n in range(30)]
    path.unlink()
    tokens = [row(number, {**TOKENS, "refresh_token": f"{number:070}"}) for number in range(30)]
    write_refreshes(path, tokens, strategies()["jwt-refresh"], "http://127.0.0.1:20000", 1)
    bodies = [json.loads(str(each["body"])) for each in written(path)]
    assert sorted(each["refresh_token"] for each in bodies) == [f"{n:070}" for n in range(30)]
    assert {(each["method"], each["path"], each["status"]) for each in written(path)} == {("POST", "/api/refresh", 200)}


def test_a_login_s_file_is_its_owner_s_only(tmp_path: Path) -> None:
    path = tmp_path / "logins.jsonl"
    write_logins(path, [row(7, SESSION)], "a password")
    assert path.stat().st_mode & 0o777 == 0o600
    (only,) = written(path)
    assert json.loads(str(only["body"])) == {"username": "user00007", "password": "a password"}
    assert only["contains"] == '"username":"user00007"'
    assert all(name != "Cookie" for name, _ in only["headers"])  # type: ignore[attr-defined]


def test_a_machine_that_does_something_else_is_said() -> None:
    assert machine_reasons(0.02, 0.05) == ()
    assert [each.code for each in machine_reasons(0.021, 0.051)] == ["steal", "cpu-contended"]
    assert machine_reasons(0.0, None) == ()


def test_counts_are_what_was_added() -> None:
    assert Counts(9, 8, 7, 6).since(Counts(1, 2, 3, 4)) == Counts(8, 6, 4, 2)


def test_a_measure_means_one_thing() -> None:
    units: dict[str, set[str]] = {}
    for measure in MEASURES:
        units.setdefault(measure.name, set()).add(measure.unit)
    assert {name for name, found in units.items() if len(found) > 1} == set()
