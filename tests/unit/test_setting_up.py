"""From minted credentials to request files: whose are used, and which scenario they cannot serve."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from apps.contract.registry import strategies
from authbench.conformance.verification import Minted
from authbench.errors import UsageError
from authbench.scenario import Scenario
from authbench.setting_up import prepare_requests
from authbench.supply import EachOnce, FromTheStart, RoundAndRound
from tests.unit.test_scenario import load, with_credentials
from tests.unit.test_workload import users

ONCE, MANY = strategies()["jwt-once"], strategies()["jwt-hs256"]


def prepared(folder: Path, scenario: Scenario, count: int):
    stack = SimpleNamespace(folder=folder, url=lambda name: f"http://127.0.0.1:8000/{name}")
    minted = {each.name: Minted(tuple(users(count)), {}) for each in (ONCE, MANY)}
    return prepare_requests(stack, scenario, [MANY, ONCE], minted, seed=1, minted_at=0.0)


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_load_is_sent_with_the_credentials_that_verification_has_left(tmp_path):
    files = prepared(tmp_path, load("compare"), 130)
    once, many = (rows(files[name, "whoami"].path) for name in ("jwt-once", "jwt-hs256"))
    assert {row["rolls"] for row in once} == {f"token-{n}" for n in range(1, 131) if n not in (1, 3)}
    assert {row["rolls"] for row in many} == {None}
    assert len({row["contains"] for row in many}) == 128
    assert files["jwt-once", "whoami"].path.stat().st_mode & 0o77 == 0


def test_too_few_users_for_one_time_tokens_are_refused_with_both_numbers(tmp_path):
    with pytest.raises(
        UsageError, match=r"jwt-once: workload 'whoami' \(own\) sends the tokens of 127 users.* 128 for 64"
    ):
        prepared(tmp_path, load("compare"), 129)
    assert prepared(tmp_path, load("compare", load=["saturate"]), 34)  # 16 in flight
    with pytest.raises(UsageError, match=r"\(hot\) sends the tokens of 8 users"):
        prepared(tmp_path, with_credentials("hot", live_sessions=500), 500)


def test_verification_may_leave_too_few_for_a_working_set(tmp_path):
    scenario = with_credentials("unique", live_sessions=4_000)
    with pytest.raises(
        UsageError, match=r"jwt-hs256: workload 'whoami' .unique. needs 4000 live sessions, there are 3998"
    ):
        prepared(tmp_path, scenario, 4_000)


@pytest.mark.parametrize(
    ("kind", "supply", "distinct"),
    [("own", FromTheStart, 4000), ("unique", RoundAndRound, 4000), ("cold", EachOnce, 5000)],
)
def test_each_working_set_has_its_file_and_its_supply(tmp_path, kind, supply, distinct):
    file = prepared(tmp_path, with_credentials(kind, live_sessions=5_000), 5_000 + 2)["jwt-hs256", "whoami"]
    assert isinstance(file.supply, supply)
    found = rows(file.path)
    assert len({row["contains"] for row in found}) == len(found) == distinct
