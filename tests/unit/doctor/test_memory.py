"""Memory, swap and huge pages, on made folders."""

from pathlib import Path

import pytest

from authbench.doctor import memory
from tests.unit.doctor.folders import made


def meminfo(available_kb: int, swap_kb: int = 0, swap_free_kb: int = 0) -> dict[str, str]:
    text = (
        f"MemTotal: 16000000 kB\nMemAvailable: {available_kb} kB\nSwapTotal: {swap_kb} kB\n"
        f"SwapFree: {swap_free_kb} kB\nHugePages_Total: 0\n"
    )
    return {"meminfo": text, "cgroup": "4:memory:/ours\n", "mounts": ""}


@pytest.mark.parametrize(("available_kb", "state"), [(8_000_000, "good"), (2_000_000, "fair"), (500_000, "poor")])
def test_what_is_available_is_graded(tmp_path: Path, available_kb: int, state: str) -> None:
    proc = made(tmp_path, meminfo(available_kb))
    found = memory.memory(proc / "meminfo", proc / "cgroup", proc / "mounts")
    assert (found.state, bool(found.advice)) == (state, state != "good")


@pytest.mark.parametrize("name", ["memory.max", "memory.limit_in_bytes"])
def test_a_cgroups_limit_counts(tmp_path: Path, name: str) -> None:
    proc = made(tmp_path, {**meminfo(8_000_000), f"group/ours/{name}": "1000000000", f"group/{name}": "max"})
    kind = "cgroup2 rw" if name == "memory.max" else "cgroup rw,memory"
    made(proc, {"mounts": f"none {proc / 'group'} {kind} 0 0\n"})
    if name == "memory.max":
        made(proc, {"cgroup": "0::/ours\n"})
    found = memory.memory(proc / "meminfo", proc / "cgroup", proc / "mounts")
    assert found.state == "poor"
    assert "limited to 1.0 GB" in found.found


@pytest.mark.parametrize(
    ("total", "free", "state"),
    [(0, 0, "good"), (2_000_000, 2_000_000, "good"), (2_000_000, 1_800_000, "fair"), (2_000_000, 0, "poor")],
)
def test_swap_that_is_used_is_said(tmp_path: Path, total: int, free: int, state: str) -> None:
    assert memory.swap(made(tmp_path, meminfo(8_000_000, total, free)) / "meminfo").state == state


@pytest.mark.parametrize(
    ("text", "state"),
    [("always [madvise] never\n", "good"), ("[always] madvise never\n", "fair"), ("nothing\n", "unknown")],
)
def test_the_mode_of_huge_pages_is_in_brackets(tmp_path: Path, text: str, state: str) -> None:
    assert memory.huge_pages(made(tmp_path, {"enabled": text}) / "enabled").state == state


def test_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    unread = [memory.memory(nowhere), memory.swap(nowhere), memory.huge_pages(nowhere)]
    assert {each.state for each in unread} == {"unknown"}
