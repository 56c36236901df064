"""Whatever ends the bench, and whenever: nothing of it stays on the machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from authbench.stack.processes import read, table, tree

ROOT = Path(__file__).parent.parent.parent
PHASES = ("folder", "initdb", "ready", "closing")
pytestmark = [pytest.mark.slow, pytest.mark.alone]


class Bench:
    """The bench as a process, and everything it has told and started."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.bench", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.told: dict[str, Any] = {}
        self.family: set[tuple[int, int]] = set()

    def wait_for(self, phase: str) -> None:
        """Reads until the phase is told; `closing` comes when the bench is asked to end."""
        assert self.process.stdout is not None
        while self.told.get("phase") != phase:
            line = self.process.stdout.readline()
            assert line, f"ended before {phase}"
            self.told |= json.loads(line)
            if self.told["phase"] == "ready" and phase == "closing":
                self.look()
                self.process.send_signal(signal.SIGINT)
        self.look()

    def look(self) -> None:
        """Remembers what runs now."""
        processes = table()
        pids = tree([self.process.pid], processes) - {self.process.pid}
        self.family |= {(pid, processes[pid].started) for pid in pids}

    def left(self) -> list[str]:
        """What is still there of it."""
        running = [read(pid) for pid, _ in self.family]
        known = {identity[0]: identity[1] for identity in self.family}
        found = [f"process {p.pid}" for p in running if p and p.runs and known[p.pid] == p.started]
        held = [f"{self.told['locks']}/{port}" for port in self.told.get("ports", [])]
        found += [path for path in (self.told["folder"], *self.told["cgroups"], *held) if Path(path).exists()]
        found += [f"port {port}" for port in self.told.get("ports", []) if _is_taken(port)]
        return found + [f"shared memory {line}" for line in _segments({pid for pid, _ in self.family})]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def started(*options: str) -> Bench:
        benches.append(Bench(*options))
        return benches[-1]

    yield started
    for bench in benches:
        bench.close()


@pytest.mark.parametrize("phase", PHASES)
def test_an_interrupt_leaves_nothing_within_five_seconds(phase: str, start: Callable[..., Bench]) -> None:
    bench = start()
    bench.wait_for(phase)
    asked = time.monotonic()
    bench.process.send_signal(signal.SIGINT)
    bench.process.wait(timeout=20)
    assert _wait_until_gone(bench, 5 - (time.monotonic() - asked)) == []
    assert bench.process.returncode != 0


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("options", [(), ("--no-cgroups",)])
def test_a_kill_leaves_nothing_within_two_seconds(
    phase: str, options: tuple[str, ...], start: Callable[..., Bench]
) -> None:
    bench = start(*options)
    bench.wait_for(phase)
    bench.process.kill()
    assert _wait_until_gone(bench, 2) == []


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_a_bench_that_ends_amid_faults_leaves_nothing(ended_by: signal.Signals, start: Callable[..., Bench]) -> None:
    """Stopped processes hear no signal but SIGKILL, and a folder that is mounted over cannot be removed."""
    bench = start("--held")
    bench.wait_for("ready")
    states = {process.state for pid, _ in bench.family if (process := read(pid)) is not None}
    assert "T" in states
    assert os.geteuid() != 0 or mounted_in(bench.told["folder"])
    bench.process.send_signal(ended_by)
    assert _wait_until_gone(bench, 2 if ended_by is signal.SIGKILL else 5) == []
    assert mounted_in(bench.told["folder"]) == []


def mounted_in(folder: str) -> list[str]:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [path for path in mounts if path.startswith(folder)]


def test_an_interrupt_at_the_terminal_is_the_benchs_alone(start: Callable[..., Bench]) -> None:
    bench = start()
    bench.wait_for("ready")
    watchdog_and_services = {pid for pid, _ in bench.family}
    group = os.getpgid(bench.process.pid)
    assert all(os.getpgid(pid) != group for pid in watchdog_and_services)


def test_the_watchdog_ignores_being_asked_to_end(start: Callable[..., Bench]) -> None:
    bench = start()
    bench.wait_for("folder")
    watchdog = bench.told["watchdog"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(watchdog, number)
    bench.wait_for("ready")
    bench.process.kill()
    assert _wait_until_gone(bench, 2) == []


def test_without_its_watchdog_an_interrupt_still_cleans_up(start: Callable[..., Bench]) -> None:
    bench = start()
    bench.wait_for("folder")
    watchdog = bench.told["watchdog"]
    bench.wait_for("ready")
    os.kill(watchdog, signal.SIGKILL)
    bench.process.send_signal(signal.SIGINT)
    bench.process.wait(timeout=20)
    assert _wait_until_gone(bench, 5) == []


def _wait_until_gone(bench: Bench, seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while (left := bench.left()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _is_taken(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _segments(creators: set[int]) -> list[str]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [line for line in lines if int(line.split()[4]) in creators]
