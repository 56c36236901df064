"""The disks: where results go, and where the stack lives while it runs."""

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from authbench.doctor.finding import Told, about, graded

GB = 1e9
FSYNCS = 20


@about("results folder", "each trial is written with fsync between windows; a slow disk costs time, not accuracy")
def results(folder: Path) -> Told:
    """Free space where results go, and the median time of a small fsync there."""
    there = _existing(folder)
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        return Told("poor", f"{there} cannot be written", "run in a folder of yours, or name one with `--out`")
    median = statistics.median(_fsync_ms(there) for _ in range(FSYNCS))
    found = f"{free / GB:.1f} GB free in {there}; an fsync takes {median:.2f} ms"
    if free < 1 * GB:
        return Told("poor" if free < 0.1 * GB else "fair", found, "make room, or name another place with `--out`")
    state = graded(median, 20, 1000)
    return Told(state, found, "" if state == "good" else "name a place on a local disk with `--out`")


@about("temporary folder", "the stack's databases, sessions and logs lie here while it runs")
def temporary(folder: Path | None = None) -> Told:
    """Free space there, and whether programs may run from it."""
    there = folder or Path(tempfile.gettempdir())
    free = shutil.disk_usage(there).free
    found = f"{free / GB:.1f} GB free in {there}"
    if os.statvfs(there).f_flag & os.ST_NOEXEC and os.geteuid() == 0:
        return Told(
            "fair",
            f"{found}, mounted noexec",
            "set TMPDIR to a folder without noexec",
            "as root, PostgreSQL may have to be copied here to be reached by its account, and could not run",
        )
    if free >= 2 * GB:
        return Told("good", found)
    return Told("fair" if free >= 0.5 * GB else "poor", found, "make room, or set TMPDIR to a larger place")


@about("shared memory", "PostgreSQL keeps its segments elsewhere; browsers of the report's tests need some")
def shared_memory(folder: Path = Path("/dev/shm")) -> Told:  # noqa: S108 - looked at, not written to
    """Free space in /dev/shm."""
    free = shutil.disk_usage(folder).free
    found = f"{free / GB:.2f} GB free in {folder}"
    if free >= 0.06 * GB:
        return Told("good", found)
    return Told("fair", found, "docker `--shm-size 256m`, or remount it larger")


def _existing(folder: Path) -> Path:
    here = folder.absolute()
    return next(each for each in (here, *here.parents) if each.is_dir())


def _fsync_ms(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        began = time.perf_counter()
        file.write(b"x" * 1024)
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000
