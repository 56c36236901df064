"""No orphans, ever: a small process that outlives the bench just long enough to clean up after it.

It reads from a pipe whose other end only the bench holds. Each line tells of something to clean up; when the pipe ends,
in whatever way the bench ended, it ends every process, then removes cgroups and folder. A clean stop goes the same way,
only that there is little left to do. Only the standard library: it starts in milliseconds and stays small.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from authbench.stack.locks import prune
from authbench.stack.processes import read, table, tree

GRACE_S = 0.8  # for parts that leave something behind when killed (PostgreSQL)
PATIENCE_S = 1.5  # until it gives up on a process that even SIGKILL does not end
PAUSE_S = 0.005  # between two questions
IPC_RMID = 0
MNT_DETACH = 2

DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

Identity = tuple[int, int]  # pid and start


@dataclass
class Charge:
    """What must not outlive the bench."""

    roots: dict[int, tuple[int, int]] = field(default_factory=dict)  # pid -> start, first signal
    cgroups: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)  # folders of held files
    pid_files: list[str] = field(default_factory=list)  # PostgreSQL's, which name its shared memory
    mounts: list[str] = field(default_factory=list)  # folders that a small file system may lie over

    def hear(self, line: bytes) -> None:
        """Takes one line of the bench in. Raises ValueError for what is none."""
        word = json.loads(line)
        match word:
            case {"guard": int(pid), "started": int(started), "signal": int(number)}:
                self.roots[pid] = (started, number)
            case {"release": int(pid)}:
                self.roots.pop(pid, None)
            case {"cgroup": str(path)}:
                self.cgroups.append(path)
            case {"folder": str(path)}:
                self.folders.append(path)
            case {"locks": str(path)}:
                self.locks.append(path)
            case {"pid_file": str(path)}:
                self.pid_files.append(path)
            case {"mount": str(path)}:
                self.mounts.append(path)
            case _:
                raise ValueError(f"not a word for the watchdog: {line!r}")


def sweep(charge: Charge, grace_s: float = GRACE_S) -> None:
    """Ends everything in its charge and removes what it left. Safe to repeat.

    Roots get their first signal and `grace_s` seconds; whatever then runs of them, and all that outlives its root, gets
    SIGKILL. Whatever a fault has stopped (SIGSTOP) goes on meanwhile, or no signal but SIGKILL would reach it.
    """
    seen: set[Identity] = set()
    asked: set[Identity] = set()
    start = time.monotonic()
    while (now := time.monotonic() - start) < grace_s + PATIENCE_S:
        gentle = {
            pid: number
            for pid, (started, number) in charge.roots.items()
            if number != signal.SIGKILL and _runs((pid, started)) and now < grace_s
        }
        found = _members(charge, seen)
        if not found:
            break
        processes = table()
        spared = tree(gentle, processes)
        for pid, started in found:
            if pid in gentle and (pid, started) not in asked:
                asked.add((pid, started))
                _send(pid, gentle[pid])
            elif pid not in spared:
                _send(pid, signal.SIGKILL)
            if pid in processes and processes[pid].state == "T":
                _send(pid, signal.SIGCONT)
        time.sleep(PAUSE_S)
    for path in charge.pid_files:
        _remove_segment(path)
    for path in charge.cgroups:
        _remove_cgroup(path)
    for path in charge.mounts:
        unmount(path)
    for path in charge.folders:
        shutil.rmtree(path, ignore_errors=True)
    for path in charge.locks:
        prune(Path(path))


def _members(charge: Charge, seen: set[Identity]) -> set[Identity]:
    """Everything still running; `seen` remembers those that lost their parents on the way."""
    processes = table()
    roots = [p for p, (s, _) in charge.roots.items() if p not in processes or processes[p].started == s]
    pids = tree(roots, processes)
    for path in charge.cgroups:
        pids |= set(cgroup_members(path))
    pids.discard(os.getpid())
    seen |= {(pid, processes[pid].started) for pid in pids if pid in processes}
    return {identity for identity in seen if _runs(identity)}


def cgroup_members(folder: str) -> list[int]:
    """Pids in a cgroup and those below it."""
    found: list[int] = []
    for parent, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in Path(parent, "cgroup.procs").read_text().split()]
    return found


def _runs(identity: Identity) -> bool:
    process = read(identity[0])
    return process is not None and process.started == identity[1] and process.runs


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _remove_segment(pid_file: str) -> None:
    """The System V segment of a PostgreSQL that could not remove it itself: then its pid file is still there."""
    try:
        key_and_id = Path(pid_file).read_text().splitlines()[6].split()
    except (OSError, IndexError):
        return
    if len(key_and_id) == 2:
        ctypes.CDLL(None).shmctl(int(key_and_id[1]), IPC_RMID, None)


def unmount(folder: str) -> bool:
    """Takes away what lies over that folder, at once even where it is in use; whether anything did."""
    return bool(ctypes.CDLL(None).umount2(os.fsencode(folder), MNT_DETACH) == 0)


def _remove_cgroup(path: str) -> None:
    deadline = time.monotonic() + 0.5
    while Path(path).exists() and time.monotonic() < deadline:
        for parent, _, _ in os.walk(path, topdown=False):
            with contextlib.suppress(OSError):  # its last member may not be gone to the end
                Path(parent).rmdir()
        if Path(path).exists():
            time.sleep(PAUSE_S)


class Watchdog:
    """The bench's end of the pipe. Every word is written at once, so that it counts even if the bench dies next."""

    def __init__(self) -> None:
        """Starts the process, in a session of its own: ^C at the terminal does not reach it."""
        self._charge = Charge()
        self._lock = threading.Lock()
        root = str(Path(__file__).parent.parent.parent)
        code = f"import sys; sys.path.insert(0, {root!r}); from authbench.stack.watchdog import main; main()"
        end, self._pipe = os.pipe()
        self._closed = False
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, DEAF_TO
        )  # which the child inherits: it is deaf from the start
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", code],
                stdin=end,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(end)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def guard(self, pid: int, first_signal: int = signal.SIGKILL) -> None:
        """The process and all that come from it end with the bench; `first_signal` gets it 0.8 s to do so itself."""
        process = read(pid)
        if process is not None:
            self._tell({"guard": pid, "started": process.started, "signal": int(first_signal)})

    def release(self, pid: int) -> None:
        """It has ended."""
        self._tell({"release": pid})

    def remove(self, folder: Path) -> None:
        """The folder goes with the bench."""
        self._tell({"folder": str(folder)})

    def remove_cgroup(self, folder: Path) -> None:
        """The cgroup and its members go with the bench."""
        self._tell({"cgroup": str(folder)})

    def prune(self, locks: Path) -> None:
        """Files in that folder that nobody holds go with the bench."""
        self._tell({"locks": str(locks)})

    def remove_segment_of(self, pid_file: Path) -> None:
        """The shared memory that PostgreSQL's pid file names goes with the bench."""
        self._tell({"pid_file": str(pid_file)})

    def unmount(self, folder: Path) -> None:
        """Whatever will be mounted there goes with the bench; to be said before it is mounted."""
        self._tell({"mount": str(folder)})

    def finish(self) -> None:
        """Has everything cleaned up and returns when it is. Cleans up itself where the watchdog was killed."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._pipe)
        try:
            code = self._process.wait(timeout=2 * (GRACE_S + PATIENCE_S))
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code != 0:
            sweep(self._charge)

    def _tell(self, word: dict[str, object]) -> None:
        line = json.dumps(word).encode() + b"\n"
        with self._lock:
            self._charge.hear(line)
            if not self._closed:
                with contextlib.suppress(BrokenPipeError):  # `alive` tells
                    os.write(self._pipe, line)


def main() -> None:
    """The watchdog's own life: listen until the pipe ends, then clean up."""
    charge = Charge()
    for line in sys.stdin.buffer:
        with contextlib.suppress(ValueError):
            charge.hear(line)
    sweep(charge)
