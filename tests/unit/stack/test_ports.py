"""Ports are free, below the ephemeral range, and never given out twice."""

import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from authbench.errors import StackError
from authbench.stack import ports as ports_module
from authbench.stack.ports import HIGHEST, LOWEST, Ports


class First(random.Random):
    """Always begins at the same place."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return 77


def test_two_benches_never_take_the_same_one(tmp_path: Path) -> None:
    one, other = Ports(First(), tmp_path / "ports"), Ports(First(), tmp_path / "ports")
    taken = [one.take(), other.take(), one.take(), other.take()]
    assert len(set(taken)) == 4
    assert all(LOWEST <= port <= HIGHEST < 32_768 for port in taken)
    one.close()
    other.close()
    assert not (tmp_path / "ports").exists()


def test_a_port_that_somebody_listens_on_is_passed_over(tmp_path: Path) -> None:
    first = Ports(First(), tmp_path)
    port = first.take()
    first.close()
    with socket.create_server(("127.0.0.1", port)):
        again = Ports(First(), tmp_path)
        assert again.take() != port
        again.close()


def test_a_holder_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, random, pathlib; from authbench.stack.ports import Ports\n"
        "from tests.unit.stack.test_ports import First\n"
        "print(Ports(First(), pathlib.Path(sys.argv[1])).take(), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        ours = Ports(First(), tmp_path)
        assert ours.take() != port
        holder.kill()
    assert ours.take() == port
    ours.close()


def test_when_none_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports_module, "HIGHEST", LOWEST)
    monkeypatch.setattr(First, "randrange", lambda self, span: 0)
    ports = Ports(First(), tmp_path)
    ports.take()
    with pytest.raises(StackError, match="no free port between"):
        ports.take()
    ports.close()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="set TMPDIR to a folder of yours"):
        Ports(folder=tmp_path / "file" / "ports").take()
