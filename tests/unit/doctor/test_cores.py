"""Cores, siblings, quota and container, on made folders."""

from pathlib import Path

import pytest

from authbench.doctor import cores
from authbench.machine import Cores, split_cores
from tests.unit.doctor.folders import made

CGROUP2 = "none {mount} cgroup2 rw 0 0\n"
CGROUP1 = "none {mount} cgroup rw,cpu,cpuacct 0 0\n"


@pytest.mark.parametrize(
    ("available", "online", "state"),
    [({0, 1, 2, 3}, "0-3", "good"), ({0, 1}, "0-1", "fair"), ({3}, "0-3", "poor"), ({0}, "0", "poor")],
)
def test_few_cores_are_said(tmp_path: Path, available: set[int], online: str, state: str) -> None:
    ours = frozenset(available)
    found = cores.cores(ours, split_cores(ours), made(tmp_path, {"online": online + "\n"}))
    assert found.state == state
    assert found.found.startswith(f"{len(ours)} of {len(cores.listed(online))}; ")
    assert bool(found.advice) == (state != "good")


def test_a_core_that_is_there_but_not_ours_can_be_asked_for(tmp_path: Path) -> None:
    one = frozenset({3})
    assert "taskset" in cores.cores(one, split_cores(one), made(tmp_path, {"online": "0-3"})).advice


def test_lists_of_cores_are_read() -> None:
    assert cores.listed("0-2,5,7-8\n") == [0, 1, 2, 5, 7, 8]
    assert cores.listed("\n") == []


def test_the_generator_on_a_sibling_of_the_stack_is_poor(tmp_path: Path) -> None:
    cpus = made(tmp_path, {"cpu1/topology/thread_siblings_list": "0-1\n"})
    found = cores.siblings(Cores((0,), 1), virtual=False, cpus=cpus)
    assert (found.state, "taskset" in found.advice) == ("poor", True)
    assert "core 1 (generator) is a sibling of 0 (stack)" in found.found


@pytest.mark.parametrize("virtual", [False, True])
def test_a_physical_core_of_its_own_is_good_and_a_hypervisors_word_is_named_as_such(
    tmp_path: Path, virtual: bool
) -> None:
    cpus = made(tmp_path, {"cpu3/topology/thread_siblings_list": "3\n"})
    found = cores.siblings(Cores((0, 1, 2), 3), virtual, cpus)
    assert found.state == "good"
    assert ("hypervisor" in found.found) is virtual


def test_one_core_for_all_has_no_siblings_to_ask_for(tmp_path: Path) -> None:
    assert cores.siblings(Cores((), None), virtual=False, cpus=tmp_path).state == "poor"


def test_without_a_topology_siblings_are_unknown(tmp_path: Path) -> None:
    assert cores.siblings(Cores((0,), 1), virtual=False, cpus=tmp_path).state == "unknown"


@pytest.mark.parametrize(
    ("files", "state", "said"),
    [
        ({"ours/cpu.max": "max 100000"}, "good", "none"),
        ({"ours/cpu.max": "150000 100000"}, "poor", "1.5 CPUs, for 2 cores"),
        ({"ours/cpu.max": "max 100000", "cpu.max": "50000 100000"}, "poor", "0.5 CPUs"),
        ({"ours/cpu.max": "400000 100000"}, "good", "it cuts nothing"),
    ],
)
def test_the_narrowest_quota_counts_under_v2(tmp_path: Path, files: dict[str, str], state: str, said: str) -> None:
    mount = made(tmp_path / "cgroup", files)
    proc = made(tmp_path / "proc", {"cgroup": "0::/ours\n", "mounts": CGROUP2.format(mount=mount)})
    found = cores.quota(2, proc / "cgroup", proc / "mounts")
    assert (found.state, said in found.found) == (state, True), found


def test_a_quota_under_v1_is_read(tmp_path: Path) -> None:
    files = {"ours/cpu.cfs_quota_us": "100000", "ours/cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "-1"}
    mount = made(tmp_path / "cgroup", files)
    proc = made(tmp_path / "proc", {"cgroup": "3:cpu,cpuacct:/ours\n", "mounts": CGROUP1.format(mount=mount)})
    found = cores.quota(2, proc / "cgroup", proc / "mounts")
    assert (found.state, found.found) == ("poor", "1 CPUs, for 2 cores")


def test_a_path_that_the_container_does_not_show_is_read_at_its_mount(tmp_path: Path) -> None:
    mount = made(tmp_path / "cgroup", {"cpu.max": "100000 100000"})
    proc = made(tmp_path / "proc", {"cgroup": "0::/docker/0123\n", "mounts": CGROUP2.format(mount=mount)})
    assert cores.quota(2, proc / "cgroup", proc / "mounts").state == "poor"


def test_no_cgroups_no_quota_and_no_proc_unknown(tmp_path: Path) -> None:
    proc = made(tmp_path, {"cgroup": "", "mounts": "proc /proc proc rw 0 0\n"})
    assert cores.quota(2, proc / "cgroup", proc / "mounts").state == "good"
    assert cores.quota(2, tmp_path / "nowhere", proc / "mounts").state == "unknown"


@pytest.mark.parametrize(
    ("files", "state", "said"),
    [
        ({"proc/1/cgroup": "0::/init.scope\n"}, "good", "none seen"),
        ({"proc/1/cgroup": "0::/\n", ".dockerenv": ""}, "fair", "Docker"),
        ({"proc/1/cgroup": "0::/\n", "run/.containerenv": ""}, "fair", "Podman"),
        ({"proc/1/cgroup": "0::/kubepods/besteffort\n"}, "fair", "Kubernetes"),
        ({}, "unknown", "not told"),
    ],
)
def test_containers_are_known_by_their_marks(tmp_path: Path, files: dict[str, str], state: str, said: str) -> None:
    found = cores.container(made(tmp_path, files))
    assert (found.state, said in found.found) == (state, True), found
