"""What is made of counters once they are read."""

import os
import threading
from pathlib import Path

import pytest

from authbench.probes.cache import difference
from authbench.probes.cpu import stolen
from authbench.probes.memory import tree_bytes
from authbench.probes.sampler import Sampler


def test_only_what_changed_is_in_the_difference() -> None:
    assert difference({"get": 3, "set": 2}, {"get": 5, "set": 2, "del": 1}) == {"del": 1, "get": 2}


def test_stolen_time_is_a_share_of_all_but_guests() -> None:
    assert stolen("cpu  10 1 5 80 2 1 1 4 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n") == (4, 104)


def test_memory_is_proportional_where_the_kernel_tells(tmp_path: Path) -> None:
    for pid, kilobytes in ((1, 100), (2, 20)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "smaps_rollup").write_text(f"Rss: 900 kB\nPss: {kilobytes} kB\nPss_Anon: 1 kB\n")
    assert tree_bytes([1, 2], tmp_path) == 120 * 1024


def test_memory_is_resident_where_it_does_not(tmp_path: Path) -> None:
    assert tree_bytes([os.getpid()], tmp_path) > 1_000_000
    assert tree_bytes([2**22 + 1], tmp_path) == 0


def test_a_sampler_reads_at_the_start_and_at_the_end() -> None:
    numbers = iter(range(100))
    sampled = Sampler(lambda: next(numbers), interval_s=60).stop()
    assert [number for _, number in sampled.readings] == [0, 1]
    assert sampled.readings[0][0] <= sampled.readings[1][0]
    assert sampled.cpu_ns > 0


def test_a_sampler_hands_on_what_went_wrong() -> None:
    with pytest.raises(ZeroDivisionError):
        Sampler(lambda: 1 / 0, interval_s=60).stop()


def test_a_sampler_does_not_wait_for_ever() -> None:
    answer = threading.Event()
    sampler = Sampler(answer.wait, interval_s=60)
    with pytest.raises(TimeoutError, match="no answer"):
        sampler.stop(patience_s=0.05)
    answer.set()
