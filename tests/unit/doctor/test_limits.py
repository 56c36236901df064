"""Open files, ports and disks."""

import os
import resource
from pathlib import Path

import pytest

from authbench.doctor import disk, limits
from authbench.errors import StackError
from authbench.stack.ports import Ports
from tests.unit.doctor.folders import made

ROW = "   0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"


@pytest.mark.parametrize(
    ("soft", "state"), [(resource.RLIM_INFINITY, "good"), (65_536, "good"), (1024, "fair"), (256, "poor")]
)
def test_the_limit_on_open_files_is_graded(soft: int, state: str) -> None:
    found = limits.open_files((soft, 65_536))
    assert (found.state, bool(found.advice)) == (state, state != "good")


def net(folder: Path, low: int) -> Path:
    rows = "header\n" + ROW.format(port=10_001, state="0A") + ROW.format(port=10_002, state="01")
    return made(folder, {"tcp": rows, "range": f"{low}\t60999\n"})


@pytest.mark.parametrize(("low", "state"), [(32_768, "good"), (1024, "fair")])
def test_listeners_are_counted_and_the_kernels_range_must_lie_above(tmp_path: Path, low: int, state: str) -> None:
    folder = net(tmp_path, low)
    found = limits.ports(folder, folder / "range")
    assert found.state == state
    assert found.found.startswith("21999 free of 22000; the kernel hands out")


def test_no_port_to_take_is_poor_and_no_range_unknown(tmp_path: Path) -> None:
    class NonePorts(Ports):
        def take(self) -> int:
            raise StackError("no free port between 10000 and 31999 on 127.0.0.1")

    assert limits.ports(tmp_path, tmp_path / "range", NonePorts).state == "poor"
    assert limits.ports(tmp_path, tmp_path / "range").state == "unknown"


def test_results_may_go_to_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = disk.results(tmp_path / "results" / "compare")
    assert found.state in ("good", "fair")
    assert str(tmp_path) in found.found
    assert "fsync takes" in found.found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "state"), [(9e9, "good"), (0.5e9, "fair"), (0.01e9, "poor")])
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    monkeypatch.setattr(disk, "_fsync_ms", lambda folder: 1.0)
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    assert disk.results(tmp_path).state == state
    assert disk.temporary(tmp_path).state == ("good" if free > 2e9 else "fair" if free > 0.4e9 else "poor")
    assert disk.shared_memory(tmp_path).state == ("good" if free > 0.1e9 else "fair")


def test_a_slow_disk_is_fair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_fsync_ms", lambda folder: 80.0)
    assert disk.results(tmp_path).state == "fair"


def test_a_folder_that_cannot_be_written_is_poor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert disk.results(tmp_path).state == "poor"


def test_places_that_are_not_there_are_unknown(tmp_path: Path) -> None:
    assert disk.temporary(tmp_path / "none").state == disk.shared_memory(tmp_path / "none").state == "unknown"
