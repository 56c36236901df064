"""`authbench run` on a scenario that is as small as it may be, in a process that can be killed, and what it leaves."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from authbench.stack.replicas import ROOT

SCENARIO = """
question = "What is left when it is killed?"
control = "none"
reference = "jwt-hs256"
answers = ["cpu_ms_per_request"]
[factors]
strategy = ["none", "jwt-hs256"]
workload = ["whoami"]
load = ["saturate", "rate@0.3"]
replicas = [1]
[workloads.whoami]
whoami = 1
[data]
users = 20
orders = 20
live_sessions = 12
[profiles.quick]
launches = {launches}
blocks_per_launch = 2
attempts = {attempts}
saturate_s = {window_s}
rate_s = {window_s}
[profiles.standard]
launches = 2
saturate_s = 0.3
rate_s = 0.3
[profiles.thorough]
launches = 2
saturate_s = 0.3
rate_s = 0.3
"""
CGROUPS = ("cpuacct", "cpu", "cpu,cpuacct", "unified", "")


def write_scenario(folder: Path, launches: int, attempts: int = 2, window_s: float = 0.3) -> Path:
    """The TOML file; its profile `quick` is meant."""
    path = folder / "tiny.toml"
    text = SCENARIO.format(launches=launches, attempts=attempts, window_s=window_s)
    path.write_text(text, encoding="utf-8")
    return path


class SmallRun:
    """The bench as a process, and everything it has started, known by its TMPDIR."""

    def __init__(self, temporary: Path, *arguments: str) -> None:
        self.temporary = temporary
        self._said = (temporary.parent / f"{temporary.name}.said").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "authbench.cli", "run", *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        """What it has printed so far."""
        self._said.seek(0)
        return self._said.read().decode()

    def cgroups(self) -> list[Path]:
        """The cgroups of stacks that were started under its TMPDIR."""
        names = [path.name for path in self.temporary.glob("authbench-*") if path.is_dir()]
        found = [Path("/sys/fs/cgroup", controller, name) for controller in CGROUPS for name in names]
        return [path for path in found if path.exists()]

    def wait(self, within_s: float = 300) -> int:
        """Its exit code."""
        return self.process.wait(within_s)

    def close(self) -> None:
        """Ends it where it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._said.close()

    def left(self, cgroups: list[Path]) -> list[str]:
        """Processes, files and cgroups of it that are still there."""
        found = running_for(str(self.temporary))
        found += [path.name for path in self.temporary.iterdir() if not path.name.startswith("authbench-ports")]
        return found + [str(path) for path in cgroups if path.exists()]


@contextmanager
def small_run(*arguments: str) -> Iterator[SmallRun]:
    """A run with a TMPDIR of its own that the database's account may pass through."""
    with tempfile.TemporaryDirectory(prefix="small-", dir="/tmp") as name:
        temporary = Path(name, "tmp")
        temporary.mkdir()
        for folder in (Path(name), temporary):
            folder.chmod(0o711)
        run = SmallRun(temporary, *arguments)
        try:
            yield run
        finally:
            run.close()


def running_for(marker: str) -> list[str]:
    """Processes whose command line or environment names `marker`."""
    return [f"{pid}: {told[:150]}" for pid, told in _told().items() if marker in told]


def pids_of(command: str, marker: str) -> list[int]:
    """Processes that run `command` and name `marker` too."""
    return [pid for pid, told in _told().items() if marker in told and command in told]


def wait_until(question: Callable[[], object], within_s: float) -> bool:
    """Asks until the answer is yes; whether it came in time."""
    deadline = time.monotonic() + within_s
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _told() -> dict[int, str]:
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                told = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
            except OSError:
                continue
            found[int(process.name)] = told.replace(b"\0", b" ").decode(errors="replace")
    return found
