"""Nothing measured is lost: killed at any moment, on a full disk, resumed again and again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.contract.registry import strategies
from authbench.design import plan
from authbench.metric import METRICS
from authbench.records import Trial, read_manifest, read_series, read_trials
from authbench.scenario import Scenario
from authbench.scenario_file import load_scenario
from authbench.stack.replicas import ROOT
from tests.integration.small_run import SmallRun, small_run, wait_until, write_scenario
from tests.unit.analysis.synthetic import TRUTHS, World
from tests.unit.reports.folder import written

pytestmark = pytest.mark.slow
# Other moments at every run, so that a few a run add up; `AUTHBENCH_TEST_KILLS=15` is what a release is tried with.
KILLS, FRESH_KILLS = int(os.environ.get("AUTHBENCH_TEST_KILLS", "4")), 2
LAUNCHES, ATTEMPTS = max(2, KILLS // 4), 2  # 8 cells a launch: twice what is measured by the last kill
SEED = int(os.environ.get("AUTHBENCH_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
GONE_WITHIN_S = 5.0


def complete(path: Path) -> bytes:
    """The lines of a file that have come to their end."""
    data = path.read_bytes() if path.is_file() else b""
    return data[: data.rfind(b"\n") + 1]


def kill_after(run: SmallRun, out: Path, seconds: float) -> None:
    """SIGKILL at that moment, then: every record is there as it was, and nothing is left running."""
    wait_until(lambda: run.process.poll() is not None, seconds)
    cgroups = run.cgroups()
    kept = {name: complete(out / name) for name in ("manifest.json", "trials.jsonl", "series.jsonl")}
    run.process.send_signal(signal.SIGKILL)
    run.wait()
    for name, before in kept.items():
        after = (out / name).read_bytes() if (out / name).is_file() else b""
        assert after.startswith(before), name
        # At most what was being written at that moment came to its end as well.
        assert name != "trials.jsonl" or complete(out / name)[len(before) :].count(b"\n") <= 1
    gone = wait_until(lambda: run.left(cgroups) == [], GONE_WITHIN_S)
    assert gone, run.left(cgroups)


def wait_for_a_record(run: SmallRun, out: Path) -> None:
    """One that was not there yet, or the run's own end."""
    before = complete(out / "trials.jsonl")
    wait_until(lambda: run.process.poll() is not None or complete(out / "trials.jsonl") != before, 60)


def assert_as_planned(out: Path, scenario: Scenario) -> None:
    """Each cell of each block is valid exactly once, or has used up its attempts, in the plan's order."""
    trials = read_trials(out)
    planned = [each for launch in plan(scenario, scenario.cells(), read_manifest(out).seed) for each in launch.trials()]
    assert [(t.launch, t.block, t.position, dict(t.cell)) for t in trials if t.attempt == 0] == [
        (p.launch, p.block, p.position, p.cell.levels()) for p in planned
    ]
    for key in (each.key() for each in planned):
        tries = [trial for trial in trials if trial.key() == key]
        assert [trial.attempt for trial in tries] == list(range(len(tries)))
        assert [trial.valid for trial in tries[:-1]] == [False] * (len(tries) - 1)
        assert tries[-1].valid or len(tries) == ATTEMPTS
    numbers = [trial.trial for trial in trials]
    assert numbers == sorted(set(numbers))
    by_block = [(trial.block, trial.attempt, trial.position) for trial in trials]
    assert by_block == sorted(by_block)
    assert_same_schedule(trials)
    assert_samples_are_of_their_trials(out, trials)


def assert_same_schedule(trials: Sequence[Trial]) -> None:
    """Every window of the open model had the rate that the pilot found before the first kill."""
    for model in ("rate", "saturate"):
        assert len({trial.load.target_rps for trial in trials if trial.load.model == model}) == 1


def assert_samples_are_of_their_trials(out: Path, trials: Sequence[Trial]) -> None:
    """Each trial has its own samples, in the order of time from its start on, and there are none of lost ones."""
    series = read_series(out)
    assert {sample.trial for sample in series} == {trial.trial for trial in trials}
    for trial in trials:
        at = [sample.at_s for sample in series if sample.trial == trial.trial]
        assert at == sorted(at)
        assert at[0] < 0.2


def test_killed_at_random_moments_it_loses_nothing_and_is_finished(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    print(f"AUTHBENCH_TEST_SEED={SEED}")  # repeats the moments
    path = write_scenario(tmp_path, launches=LAUNCHES, attempts=ATTEMPTS)
    scenario = load_scenario(str(path), "quick", known_strategies=strategies().keys(), known_metrics=METRICS.keys())
    begin = (str(path), "--profile", "quick", "--seed", "7", "--out")
    for number in range(FRESH_KILLS):
        out = tmp_path / f"fresh-{number}"
        with small_run(*begin, str(out)) as run:
            kill_after(run, out, draw.uniform(0.1, 9))
    out = tmp_path / "out"
    moments = []
    for _ in range(KILLS):
        how = ("--resume", str(out)) if (out / "manifest.json").is_file() else (*begin, str(out))
        with small_run(*how) as run:
            # Set-up takes most of the time; the other half of the kills falls into measuring.
            if draw.random() < 0.5:
                wait_for_a_record(run, out)
                seconds = draw.uniform(0, 1.5)
            else:
                seconds = draw.uniform(0.1, 9)
            kill_after(run, out, seconds)
            moments.append((round(seconds, 2), complete(out / "trials.jsonl").count(b"\n")))
    print(f"moments and records: {moments}")
    how = ("--resume", str(out)) if (out / "manifest.json").is_file() else (*begin, str(out))
    with small_run(*how) as run:
        assert run.wait() in (0, 3), run.said()  # 3: a machine so loud that trials stayed invalid
        assert run.left([]) == []
    assert_as_planned(out, scenario)
    assert (out / "report.html").stat().st_size > 0
    before = complete(out / "trials.jsonl")
    with small_run("--resume", str(out)) as run:
        assert run.wait(60) in (0, 3)
        assert "everything is measured already" in run.said()
    assert (out / "trials.jsonl").read_bytes() == before


def test_nothing_to_go_on_with_is_said_in_one_line(tmp_path: Path) -> None:
    done = authbench("run", "--resume", str(tmp_path))
    assert done.returncode == 2
    assert "nothing was measured yet" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# A full disk


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of its own that is soon full. Needs root, as CI has it."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return filler


def authbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "authbench.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


@needs_root
def test_a_disk_that_fills_up_while_it_measures(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, launches=2, attempts=1)
    with small_disk(tmp_path / "disk", 512) as disk:
        out = disk / "out"
        with small_run(str(path), "--profile", "quick", "--out", str(out)) as run:
            assert wait_until(lambda: complete(out / "trials.jsonl").count(b"\n") >= 3, 120), run.said()
            filler = fill(disk)
            assert run.wait() == 2, run.said()
            said = run.said().replace("\n", " ")
        assert "cannot write" in said
        assert "No space left on device" in said
        assert f"--resume {out}" in said
        assert "Traceback" not in said
        kept = (out / "trials.jsonl").read_bytes()
        assert kept.endswith(b"\n")
        assert len(read_trials(out)) >= 3
        read_series(out)
        filler.unlink()
        with small_run("--resume", str(out)) as run:
            # The report may well find no room on this disk; the records do.
            assert run.wait() in (0, 2, 3), run.said()
        assert (out / "trials.jsonl").read_bytes().startswith(kept)
        assert len({trial.key() for trial in read_trials(out)}) == 2 * 2 * 4


@needs_root
def test_a_disk_without_room_for_the_report(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4096) as disk:
        out = written(disk / "out", World(launches=2, truths=TRUTHS[:3]))
        records = {path.name: path.read_bytes() for path in out.iterdir()}
        filler = fill(disk)
        done = authbench("report", str(out))
        assert done.returncode in (2, 4), done.stderr
        assert "No space left on device" in done.stderr
        assert str(out) in done.stderr.replace("\n", "")
        assert "Traceback" not in done.stderr
        assert {name: (out / name).read_bytes() for name in records} == records
        filler.unlink()
        assert authbench("report", str(out)).returncode == 0
        assert (out / "report.html").stat().st_size > 0


def test_two_benches_do_not_write_into_one_folder(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, launches=2, attempts=1)
    out = tmp_path / "out"
    with small_run(str(path), "--profile", "quick", "--out", str(out)) as run:
        assert wait_until(lambda: complete(out / "trials.jsonl").count(b"\n") >= 1, 120), run.said()
        with small_run("--resume", str(out)) as other:
            began = time.monotonic()
            assert other.wait() == 2, other.said()
            assert "another authbench is writing here" in other.said()
            assert time.monotonic() - began < 30
        assert run.wait() in (0, 3), run.said()
    numbers = [trial.trial for trial in read_trials(out)]
    assert numbers == list(range(len(numbers)))
