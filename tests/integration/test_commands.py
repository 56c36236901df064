"""`up`, `load` and `verify` on the real stack: the answers that other tools build on."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from authbench.stack.replicas import ROOT

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "authbench.cli"]


def authbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], check=False, capture_output=True, text=True, timeout=300, cwd=ROOT)


@pytest.fixture(scope="module")
def standing() -> Iterator[dict[str, Any]]:
    """`authbench up --json` for two strategies with three replicas each; ended by SIGTERM, which must leave nothing."""
    with subprocess.Popen(
        [*COMMAND, "up", "--strategies", "session-db,jwt-hs256", "--replicas", "3", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        answer = json.loads(line)
        yield answer
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    for name in answer["strategies"]:
        with pytest.raises(httpx.ConnectError):
            httpx.get(answer["strategies"][name]["url"])


def logged_in(standing: dict[str, Any], strategy: str) -> tuple[str, dict[str, str]]:
    """(origin, header that carries the credential) of the first user."""
    url, user = standing["strategies"][strategy]["url"], standing["users"][0]
    answer = httpx.post(
        f"{url}/api/login", json={"username": user["username"], "password": user["password"]}, timeout=30
    )
    assert answer.status_code == 200
    if cookie := answer.headers.get("set-cookie"):
        return url, {"Cookie": cookie.split(";")[0]}
    return url, {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_up_says_where_everything_is(standing: dict[str, Any]) -> None:
    assert set(standing["strategies"]) == {"session-db", "jwt-hs256"}
    for where in standing["strategies"].values():
        assert len(set(where["replicas"])) == 3
        for replica in where["replicas"]:
            assert httpx.get(f"{replica}/api/public").status_code == 200
    assert standing["database"].startswith("postgresql://")
    assert standing["cache"].startswith("redis://")
    assert {"username", "password", "permissions"} == set(standing["users"][0])
    assert ["view_reports"] in [user["permissions"] for user in standing["users"]]


@pytest.mark.parametrize("strategy", ["session-db", "jwt-hs256"])
def test_up_hands_out_users_who_can_log_in_and_every_replica_answers(standing: dict[str, Any], strategy: str) -> None:
    url, header = logged_in(standing, strategy)
    answers = [httpx.get(f"{url}/api/whoami", headers=header) for _ in range(12)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["username"] for answer in answers} == {standing["users"][0]["username"]}
    assert len({answer.headers["X-Replica"] for answer in answers}) == 3


def test_load_answers_as_the_design_fixes_it(standing: dict[str, Any]) -> None:
    url, header = logged_in(standing, "jwt-hs256")
    (name, value) = next(iter(header.items()))
    done = authbench(
        "load", f"{url}/api/whoami", "--rate", "50", "--duration", "2", "--header", f"{name}: {value}", "--json"
    )
    result = json.loads(done.stdout)
    assert (result["requests"], result["failures"]) == (100, 0)
    for times in ("latency_ms", "service_ms", "lateness_ms"):
        assert {"p50", "p90", "p99", "p999", "max"} == set(result[times])
    assert result["offered_rps"] == pytest.approx(50)
    assert result["cpu_us_per_request"] > 0
    assert result["valid"] is (done.returncode == 0)
    assert bool(result["reasons"]) is not result["valid"]


def test_load_without_a_login_does_not_count(standing: dict[str, Any]) -> None:
    url = standing["strategies"]["session-db"]["url"]
    done = authbench("load", f"{url}/api/whoami", "--saturate", "4", "--duration", "0.5", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 3
    assert result["failures"] == result["requests"] > 0
    assert result["latency_ms"]["p50"] is None


def test_verify_passes_what_it_is_asked_for_with_the_declared_counts() -> None:
    """Without a name it verifies all: see tests/security/test_every_strategy.py."""
    done = authbench("verify", "session-db", "session-cache", "jwt-hs256", "--json")
    rows = {row["strategy"]: row for row in json.loads(done.stdout)["strategies"]}
    assert {name: row["problems"] for name, row in rows.items() if not row["passed"]} == {}
    assert done.returncode == 0
    assert set(rows) == {"session-db", "session-cache", "jwt-hs256"}
    assert rows["session-db"]["counted"]["whoami"] == [2, 0, 0]
    assert rows["session-cache"]["counted"]["whoami"] == [1, 1, 0]
    assert rows["jwt-hs256"]["counted"]["whoami"] == [0, 0, 0]
