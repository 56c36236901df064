"""The main job on real parts, small: from a scenario file to a result folder, and what a reader finds in it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from authbench.records import Manifest, Trial, read_manifest, read_series, read_trials
from authbench.stack.replicas import ROOT
from tests.integration.small_run import running_for, write_scenario
from tests.unit.reports.exports.published import problems

pytestmark = pytest.mark.slow
SCENARIO = """
question = "Does the whole path work?"
control = "none"
reference = "session-db"
margin = 0.03
answers = ["cpu_ms_per_request"]
[factors]
strategy = ["none", "session-db", "session-cache", "jwt-hs256"]
workload = ["whoami"]
load = ["saturate", "rate@0.3"]
replicas = [2]
[workloads.whoami]
whoami = 1
[data]
users = 200
orders = 2_000
live_sessions = 100
[profiles.quick]
launches = 2
attempts = 1
saturate_s = 0.4
rate_s = 0.4
[profiles.standard]
launches = 2
saturate_s = 0.4
rate_s = 0.4
[profiles.thorough]
launches = 2
saturate_s = 0.4
rate_s = 0.4
"""


def command(scenario: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "authbench.cli", "run", str(scenario), "--profile", "quick", *more]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "small.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def temporary() -> Iterator[Path]:
    """A TMPDIR of our own that the database's account may pass through: pytest's folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="run-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def left_in(temporary: Path) -> list[str]:
    return [path.name for path in temporary.iterdir() if not path.name.startswith("authbench-ports")]


@pytest.fixture(scope="module")
def folder(scenario: Path, temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whole run, read by the tests below."""
    out = tmp_path_factory.mktemp("results") / "small"
    done = subprocess.run(
        command(scenario, "--out", str(out), "--seed", "5"),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    for name in ("none", "session-db", "session-cache", "jwt-hs256"):
        assert name in done.stdout
    assert running_for(str(temporary)) == []
    assert left_in(temporary) == []
    return out


@pytest.fixture(scope="module")
def trials(folder: Path) -> list[Trial]:
    return read_trials(folder)


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return read_manifest(folder)


def test_the_folder_holds_what_the_design_lists(folder: Path) -> None:
    for name in ("manifest.json", "trials.jsonl", "series.jsonl", "summary.json", "report.html", "report.md"):
        assert (folder / name).stat().st_size > 0, name
    for name in ("junit.xml", "trials.csv", "summary.csv", "benchmark.json", "bencher.json", "step-summary.md"):
        assert (folder / name).stat().st_size > 0, name
    assert {path.suffix for path in (folder / "charts").iterdir()} == {".svg", ".png"}


def test_what_a_real_run_writes_keeps_to_the_published_schemas(folder: Path) -> None:
    assert problems(folder) == []


def test_every_cell_of_every_block_is_answered(trials: list[Trial]) -> None:
    measured = {trial.key() for trial in trials if trial.attempt == 0}
    assert len(measured) == 4 * 2 * 2


def test_every_answer_was_right_and_spread_over_both_replicas(trials: list[Trial]) -> None:
    for trial in trials:
        load = trial.load
        assert (load.refused, load.failed, load.unknown) == (0, 0, 0), load.failures
        assert load.ok == load.sent > 0
        assert len(load.by_replica) == 2
        assert sum(load.by_replica.values()) == load.ok


def test_counts_are_exact(trials: list[Trial]) -> None:
    sql = {"none": 0, "session-db": 2, "session-cache": 1, "jwt-hs256": 0}
    cache = {"none": 0, "session-db": 0, "session-cache": 1, "jwt-hs256": 0}
    for trial in trials:
        assert trial.database is not None
        assert trial.cache is not None
        assert trial.database.statements == sql[trial.strategy] * trial.load.sent, trial.strategy
        assert trial.cache.commands == cache[trial.strategy] * trial.load.sent, trial.strategy
        assert trial.lb_requests == trial.lb_expected


def test_claims_need_no_database_connection_and_rows_do(trials: list[Trial]) -> None:
    for trial in trials:
        assert trial.database is not None
        peak = trial.database.connections_peak
        if trial.strategy in ("none", "jwt-hs256"):
            assert peak == 0
        elif trial.cell["load"] == "saturate":
            assert 2 <= peak <= 8  # replicas × threads


def test_cpu_is_charged_to_the_tiers_that_work(trials: list[Trial]) -> None:
    for trial in trials:
        assert trial.cpu_s["app"] > 0
        assert trial.cpu_s["lb"] > 0
        if trial.cell["load"] == "saturate":
            assert (trial.cpu_s["db"] > 0.05 * trial.cpu_s["app"]) == (
                trial.strategy in ("session-db", "session-cache")
            )


def test_the_open_model_offers_every_strategy_the_same_schedule(trials: list[Trial]) -> None:
    by_block: dict[int, set[int]] = {}
    for trial in trials:
        if trial.load.model == "rate" and trial.attempt == 0:
            by_block.setdefault(trial.block, set()).add(trial.load.sent)
    assert by_block
    assert all(len(sent) == 1 for sent in by_block.values())


def test_launches_are_fresh_processes(manifest: Manifest, trials: list[Trial]) -> None:
    assert {trial.launch for trial in trials} == {0, 1}
    assert manifest.question.launches == 2


def test_samples_name_replicas(folder: Path) -> None:
    names = {replica for sample in read_series(folder) for replica in sample.connections}
    assert any(name.startswith("session-db-") for name in names)


def test_the_manifest_names_what_a_reader_needs_and_no_secret(folder: Path, manifest: Manifest) -> None:
    assert {contender.name for contender in manifest.contenders if contender.verified} == {
        "none", "session-db", "session-cache", "jwt-hs256",
    }  # fmt: skip
    assert manifest.softened
    assert "postgresql" in " ".join(manifest.versions).lower()
    written = "".join(path.read_text(errors="replace") for path in folder.iterdir() if path.is_file())
    for secret in ("sessionid=", "Bearer ey", "SECRET_KEY=", "postgresql://"):
        assert secret not in written


def test_a_report_is_rebuilt_to_the_same_bytes(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "authbench.cli", "report", str(folder)], check=False, capture_output=True, timeout=120
    )
    assert done.returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_resume_of_a_finished_run_adds_nothing_and_of_another_seed_is_refused(folder: Path, scenario: Path) -> None:
    before = (folder / "trials.jsonl").read_bytes()
    refused = subprocess.run(
        command(scenario, "--resume", str(folder), "--seed", "6"),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 2
    assert "another scenario or seed" in refused.stderr
    assert (folder / "trials.jsonl").read_bytes() == before


def test_interrupted_it_keeps_what_was_measured_and_resume_finishes_it(temporary: Path, tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path, launches=2), tmp_path / "cut"
    env = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        command(scenario, "--out", str(out)), cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    trials = out / "trials.jsonl"
    deadline = time.monotonic() + 120
    while not (trials.is_file() and trials.read_bytes().count(b"\n") >= 3):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"--resume" in said
    assert b"Traceback" not in said
    assert running_for(str(temporary)) == []
    assert left_in(temporary) == []
    kept = len(read_trials(out))
    done = subprocess.run(
        command(scenario, "--resume", str(out)),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env=env,
    )
    assert done.returncode in (0, 3), done.stderr
    finished = read_trials(out)
    assert len(finished) > kept >= 3
    valid = [trial.key() for trial in finished if trial.valid]
    assert len(valid) == len(set(valid))
    assert json.loads((out / "summary.json").read_text())["summary_version"] >= 1


def test_it_runs_from_another_folder(scenario: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "authbench.cli", "list"], check=False, capture_output=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0
