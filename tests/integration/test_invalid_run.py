"""Runs that measure and may not be believed: they end with a report, an exit code that says so, and what to change."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authbench.analysis.advice import ADVICE
from authbench.machine import split_cores
from authbench.records import Trial, read_manifest, read_trials
from tests.integration.measured_stack import busy_loop
from tests.integration.small_run import SmallRun, pids_of, small_run, wait_until, write_scenario

pytestmark = pytest.mark.slow
GENERATOR = "loadtests.generator"


def test_a_run_under_which_others_use_the_cores_is_invalid_and_says_what_to_change(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path, launches=2), tmp_path / "out"
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with (
        busy_loop(cores.stack or (0,)),
        small_run(str(scenario), "--profile", "quick", "--out", str(out)) as run,
    ):
        assert run.wait() == 3, run.said()
        said = run.said()
    trials = read_trials(out)
    assert not any(trial.valid for trial in trials)
    assert all("cpu-contended" in {reason.code for reason in trial.reasons} for trial in trials)
    assert len(trials) == 2 * 2 * 4 * 2  # launches, blocks, cells, attempts: measured again within the bound
    assert sorted(trial.attempt for trial in trials) == [0] * 16 + [1] * 16
    assert json.loads((out / "summary.json").read_text())["valid"] == 0
    assert (out / "report.html").stat().st_size > 0
    assert "measured but invalid" in said
    assert ADVICE["cpu-contended"] in said.replace("\n", " ")
    assert said.index("jwt-hs256") < said.index("measured but invalid")  # the table comes first
    assert "Traceback" not in said


def test_a_generator_killed_in_a_window_costs_that_window_only(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path, launches=2, window_s=0.6), tmp_path / "out"
    with small_run(str(scenario), "--profile", "quick", "--out", str(out)) as run:
        # Between two windows its death costs nothing, so it is killed until it has cost one.
        while run.process.poll() is None and not _lost(out):
            _kill_in_the_next_window(run, out)
        assert run.wait() in (0, 3), run.said()  # 3: whatever else a loud machine did
        said = run.said()
    records = read_trials(out)
    lost = _lost(out)
    assert lost
    for trial in lost:
        assert trial.load.sent == 0
        again = [each for each in records if each.key() == trial.key() and each.attempt > trial.attempt]
        assert again or trial.attempt == 1
    assert [trial.trial for trial in records] == list(range(len(records)))
    assert len({trial.key() for trial in records}) == 2 * 2 * 4
    assert "Traceback" not in said


def _lost(out: Path) -> list[Trial]:
    records = read_trials(out) if (out / "trials.jsonl").is_file() else []
    return [trial for trial in records if "generator-died" in {reason.code for reason in trial.reasons}]


def _kill_in_the_next_window(run: SmallRun, out: Path) -> None:
    """After two more records: a whole window between two deaths, so that they are not three in a row."""
    before = _records(out)
    wait_until(lambda: _records(out) >= before + 2 or run.process.poll() is not None, 120)
    time.sleep(0.3)
    for pid in pids_of(GENERATOR, str(run.temporary)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _records(out: Path) -> int:
    path = out / "trials.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def test_a_generator_that_is_killed_again_and_again_ends_the_run(tmp_path: Path) -> None:
    """Never with exit code 0, as Locust's own master ends when it has lost its workers."""
    scenario, out = write_scenario(tmp_path, launches=2), tmp_path / "out"
    with small_run(str(scenario), "--profile", "quick", "--out", str(out)) as run:
        assert wait_until((out / "trials.jsonl").is_file, 120), run.said()
        with _killing(run):
            assert run.wait(60) == 4, run.said()
        said = run.said()
    assert "load generator" in said
    assert f"--resume {out}" in said.replace("\n", "")
    assert "Traceback" not in said
    assert read_manifest(out).question.name == "tiny"
    read_trials(out)


@contextmanager
def _killing(run: SmallRun) -> Iterator[None]:
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            for pid in pids_of(GENERATOR, str(run.temporary)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
