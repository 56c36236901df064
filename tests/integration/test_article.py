"""A run of several deployments and an experiment, from the command to the page: the article's scenario, in small."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authbench.observed import FINISHED, read_observations
from authbench.records import read_manifest, read_trials
from authbench.stack.replicas import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.alone]
SCENARIO = """
question = "Which of the article's claims hold?"
control = "session-db"
reference = "session-db"
answers = ["connections_peak"]
[factors]
strategy = ["session-db", "jwt-row", "jwt-cookie"]
workload = ["whoami"]
load = ["saturate"]
session_store = ["shared", "separate"]
[workloads.whoami]
whoami = 1
[stack]
replica_cpus = 0.5
[data]
users = 60
orders = 60
live_sessions = 30
[load]
connections = 16
[[experiment]]
kind = "reading"
[profiles.quick]
launches = 2
attempts = 1
saturate_s = 0.3
rate_s = 0.3
[profiles.standard]
launches = 2
saturate_s = 0.3
rate_s = 0.3
[profiles.thorough]
launches = 2
saturate_s = 0.3
rate_s = 0.3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("article")
    (home / "article.toml").write_text(SCENARIO, encoding="utf-8")
    done = authbench("run", str(home / "article.toml"), "--profile", "quick", "--out", str(home / "out"))
    assert done.returncode in (0, 3), done.stderr  # 3: the machine was busy, which connections do not mind
    return home / "out"


def test_every_deployment_was_measured_on_launches_of_its_own(folder: Path) -> None:
    trials = read_trials(folder)
    assert {(t.strategy, t.cell["session_store"]) for t in trials} == {
        (strategy, store) for strategy in ("session-db", "jwt-row", "jwt-cookie") for store in ("shared", "separate")
    }
    for trial in trials:
        assert len({t.cell["session_store"] for t in trials if t.launch == trial.launch}) == 1
        assert {reason.code for reason in trial.reasons}.isdisjoint({"errors", "wrong-user", "not-verified"})


def test_sessions_on_a_server_of_their_own_double_the_connections_and_tokens_hold_none_there(folder: Path) -> None:
    for trial in read_trials(folder):
        there = trial.session_database
        assert trial.database is not None
        apart = trial.cell["session_store"] == "separate" and trial.strategy == "session-db"
        statements = 0 if there is None else there.statements
        assert statements == (trial.load.sent if apart else 0)
        expected = {"session-db": 2 - apart, "jwt-row": 1, "jwt-cookie": 0}[trial.strategy]
        assert trial.database.statements == expected * trial.load.sent


def test_the_page_is_written_from_the_records_and_rules_on_what_they_hold(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "article-claims.md"
    page.parent.mkdir()
    done = authbench("report", str(folder), "--article", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.count("**holds only when**") == 2  # connections, and reading
    assert text.count("| not measured |") == 4
    assert "session-db 2, jwt-row 1" in text
    assert "of these jwt-cookie travels in an HttpOnly cookie" not in text or "jwt-row" in text
    for chart in (page.parent / "images" / "article-claims").iterdir():
        assert f"](images/article-claims/{chart.name})" in text

    again = authbench("report", str(folder), "--article", str(page))
    assert again.returncode == 0
    assert page.read_text(encoding="utf-8") == text


def test_another_scenarios_folder_has_no_such_page(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    manifest = read_manifest(other)
    question = manifest.question.model_copy(update={"name": "compare"})
    (other / "manifest.json").write_text(manifest.model_copy(update={"question": question}).model_dump_json())
    done = authbench("report", str(other), "--article", str(tmp_path / "page.md"))
    assert done.returncode == 2
    assert "holds no run of the scenario `article`" in done.stderr
    assert not (tmp_path / "page.md").exists()


def test_what_was_observed_is_whole_and_is_not_observed_again(folder: Path) -> None:
    observations = read_observations(folder)
    assert observations[-1].kind == FINISHED
    read = {str(each.levels["strategy"]): each.values for each in observations[:-1]}
    assert read == {
        "session-db": {"facts_readable": 0, "script_may_read": 0},
        "jwt-row": {"facts_readable": 3, "script_may_read": 1},
        "jwt-cookie": {"facts_readable": 3, "script_may_read": 0},
    }
    before = (folder / "observations.jsonl").read_bytes()
    done = authbench("run", "--resume", str(folder), "--json")
    assert done.returncode in (0, 3), done.stderr
    assert (folder / "observations.jsonl").read_bytes() == before


def test_budgets_are_told(folder: Path) -> None:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    limited = manifest["settings"]["replica"]["cpus"] == "0.5"
    assert limited or any("no CPU budgets" in warning for warning in manifest["warnings"])


def authbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "authbench.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=180
    )
