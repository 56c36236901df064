"""The gate on real builds: two commits of a clone, side by side on the real stack."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authbench.gate.instructions import unavailable
from authbench.stack.replicas import ROOT

pytestmark = pytest.mark.slow
FOLDERS = ("apps", "authbench", "loadtests", "reports", "scenarios")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository of its own with this source tree as its one commit."""
    repo = tmp_path / "clone"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, repo / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copyfile(ROOT / name, repo / name)
    (repo / ".gitignore").write_text("__pycache__/\nresults/\n")
    git(repo, "init", "--quiet")
    commit(repo, "base")
    return repo


def test_a_commit_that_changes_nothing_passes_by_counts_and_instructions(clone: Path) -> None:
    views = clone / "apps" / "shop" / "views.py"
    views.write_text(views.read_text() + "\n# a remark\n")
    commit(clone, "remark")

    done, found = gate(clone, "--against", "HEAD~1", "--tiers", "0,1", "--strategies", "jwt-hs256")

    assert done == 0, found
    counted = {row["metric"]: row for row in found["rows"] if row["endpoint"] == "whoami"}
    assert counted["python_calls_per_request"]["base"] == counted["python_calls_per_request"]["candidate"] > 100
    if unavailable() is None or "CI" in os.environ:
        assert counted["instructions_per_request"]["ratio"] == pytest.approx(1, abs=0.005)
    assert {row["outcome"] for row in found["rows"]} <= {"pass", "not compared"}
    assert len(git(clone, "worktree", "list").splitlines()) == 1
    assert git(clone, "stash", "list") == ""


def test_a_little_more_python_in_the_request_path_is_a_regression_within_the_exact_tiers(clone: Path) -> None:
    slow_down(clone, turns=120)  # some 1,000 bytecodes; a request to whoami with a session takes 29,000
    commit(clone, "slower")

    # Without `--json`: on the terminal stand the table and GitHub's annotations.
    options = ("--tiers", "0,1", "--strategies", "session-db,jwt-hs256", "--github", "--out", "out")
    done = authbench(clone, "gate", "--against", "HEAD~1", *options)
    found = json.loads((clone / "out" / "gate.json").read_text())

    assert done.returncode == 1, done.stderr
    worse = {(row["strategy"], row["metric"]) for row in found["rows"] if row["outcome"] == "regression"}
    assert {("session-db", "bytecodes_per_request"), ("jwt-hs256", "bytecodes_per_request")} <= worse
    assert found["notes"]  # the next tier was not needed
    junit = (clone / "out" / "junit.xml").read_text()
    assert "<failure" in junit
    assert "::error" in done.stdout


def test_one_statement_more_is_a_regression_unless_it_is_allowed(clone: Path) -> None:
    middleware = clone / "apps" / "shop" / "middleware.py"
    middleware.write_text(
        middleware.read_text().replace(
            "        response = handle(request)\n",
            "        from apps.shop.models import User  # noqa: PLC0415\n\n"
            "        User.objects.exists()\n"
            "        response = handle(request)\n",
            1,
        )
    )

    # Not committed: the work tree as it stands is the candidate.
    done, found = gate(clone, "--against", "HEAD", "--tiers", "0", "--strategies", "session-db")
    statements = next(row for row in found["rows"] if row["metric"] == "statements_per_request")

    assert done == 1
    assert "work tree" in found["candidate"]["told"]
    assert (statements["base"], statements["candidate"], statements["outcome"]) == (2, 3, "regression")
    allowed = [f"--limit={metric}=1" for metric in ("statements_per_request", "transactions_per_request")]
    free = ["--limit=bytecodes_per_request=100%", "--limit=python_calls_per_request=100%"]
    shutil.rmtree(clone / "out")
    done, found = gate(clone, "--against", "HEAD", "--tiers", "0", "--strategies", "session-db", *allowed, *free)
    assert (done, [row for row in found["rows"] if row["outcome"] == "regression"]) == (0, [])


@pytest.mark.alone
def test_cpu_a_request_alone_finds_a_large_slow_down_in_two_stages(clone: Path) -> None:
    slow_down(clone, turns=10_000)
    commit(clone, "much slower")

    done, found = gate(
        clone, "--against", "HEAD~1", "--tiers", "2", "--strategies", "jwt-hs256", "--minutes", "0.5", "--ledger", "l"
    )

    row = found["rows"][0]
    assert (done, row["metric"], row["outcome"]) == (1, "cpu_ms_per_request", "regression")
    assert row["ratio"] > 1.3
    windows = [json.loads(line) for line in (clone / "out" / "windows.jsonl").read_text().splitlines()]
    assert {window["arm"] for window in windows} == {"base", "twin", "cand"}
    assert {window["stage"] for window in windows} == {1, 2}
    assert all(window["ok"] == window["requests"] for window in windows)
    assert found["ledger"]["twins"] == 1
    assert len((clone / "l").read_text().splitlines()) == 1


def test_a_build_that_answers_wrongly_is_a_regression_whatever_it_costs(clone: Path) -> None:
    middleware = clone / "apps" / "shop" / "middleware.py"
    middleware.write_text(
        middleware.read_text().replace(
            "        response = handle(request)\n",
            "        response = handle(request)\n        response.status_code = 500\n",
            1,
        )
    )
    commit(clone, "broken")

    done, found = gate(clone, "--against", "HEAD~1", "--tiers", "0", "--strategies", "jwt-hs256")

    assert done == 1
    assert {row["candidate"] for row in found["rows"] if row["metric"] == "status"} == {500}


def gate(repo: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and gate.json of a gate in that repository."""
    done = authbench(repo, "gate", *options, "--out", "out", "--json")
    assert done.returncode in (0, 1, 3, 5), done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads((repo / "out" / "gate.json").read_text())
    return done.returncode, found


def authbench(repo: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "authbench.cli", *arguments]
    return subprocess.run(command, cwd=repo, capture_output=True, text=True, timeout=400, check=False)


def slow_down(repo: Path, turns: int) -> None:
    middleware = repo / "apps" / "shop" / "middleware.py"
    source = middleware.read_text()
    loop = f"        for turn in range({turns}):\n            turn % 7\n"
    changed = source.replace("        response = handle(request)\n", f"{loop}        response = handle(request)\n", 1)
    assert changed != source
    middleware.write_text(changed)


def commit(repo: Path, message: str) -> None:
    git(repo, "add", "--all")
    git(repo, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "--message", message)


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repo), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
