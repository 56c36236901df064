"""What the watchdog understands, and that it ends the right processes in the right way."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from authbench.stack.locks import hold
from authbench.stack.processes import read
from authbench.stack.watchdog import Charge, sweep

POLITE = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\nprint(flush=True)\nsignal.pause()"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(flush=True)\nwhile True: signal.pause()"

Child = subprocess.Popen[bytes]


class Children:
    """Processes that have said that they are ready."""

    def __init__(self) -> None:
        self.all: list[Child] = []

    def start(self, code: str) -> Child:
        command = [sys.executable, "-S", "-c", code]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        self.all.append(child)
        assert child.stdout is not None
        child.stdout.readline()
        return child


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children()
    yield made
    for child in made.all:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def charge(child: Child, number: int) -> Charge:
    process = read(child.pid)
    assert process is not None
    return Charge(roots={child.pid: (process.started, number)})


def test_a_stopped_process_may_end_itself_as_well(children: Children) -> None:
    child = children.start(POLITE)
    child.send_signal(signal.SIGSTOP)
    sweep(charge(child, signal.SIGTERM), grace_s=10)
    assert child.wait() == 7


def test_words_are_taken_in() -> None:
    heard = Charge()
    for line in (
        b'{"guard": 5, "started": 9, "signal": 15}',
        b'{"guard": 6, "started": 9, "signal": 9}',
        b'{"release": 6}',
        b'{"cgroup": "/c"}',
        b'{"folder": "/f"}',
        b'{"locks": "/l"}',
        b'{"pid_file": "/p"}',
        b'{"mount": "/m"}',
    ):
        heard.hear(line)
    assert heard == Charge({5: (9, 15)}, ["/c"], ["/f"], ["/l"], ["/p"], ["/m"])


@pytest.mark.parametrize("line", [b"", b"[]", b'{"guard": 5', b'{"guard": "5"}', b'{"kill": 1}'])
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        Charge().hear(line)


def test_a_polite_process_may_end_itself(children: Children) -> None:
    child = children.start(POLITE)
    sweep(charge(child, signal.SIGTERM))
    assert child.wait(1) == 7


def test_a_stubborn_one_is_killed(children: Children) -> None:
    child = children.start(STUBBORN)
    sweep(charge(child, signal.SIGTERM), grace_s=0.05)
    assert child.wait(1) == -signal.SIGKILL


def test_children_in_sessions_of_their_own_go_too(children: Children) -> None:
    code = "import os\nread, write = os.pipe()\nif os.fork() == 0:\n  os.setsid()\n  print(os.getpid(), flush=True)\n"
    parent = subprocess.Popen(
        [sys.executable, "-S", "-c", code + "import signal; signal.pause()"], stdout=subprocess.PIPE
    )
    children.all.append(parent)
    assert parent.stdout is not None
    grandchild = int(parent.stdout.readline())
    sweep(charge(parent, signal.SIGKILL))
    left = read(grandchild)
    assert left is None or not left.runs


def test_a_pid_that_now_names_another_process_is_spared(children: Children) -> None:
    child = children.start(POLITE)
    process = read(child.pid)
    assert process is not None
    sweep(Charge(roots={child.pid: (process.started - 1, signal.SIGKILL)}), grace_s=0.05)
    assert child.poll() is None


def test_folders_go_and_files_that_somebody_holds_stay(tmp_path: Path) -> None:
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "left").touch()
    descriptor = hold(tmp_path / "locks" / "held")
    assert descriptor is not None
    sweep(Charge(folders=[str(tmp_path / "folder")], locks=[str(tmp_path / "locks")]))
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]
    assert [path.name for path in (tmp_path / "locks").iterdir()] == ["held"]
