"""Groups as files: both kinds of cgroup in folders that only look like them."""

from pathlib import Path

import pytest

from authbench.errors import StackError
from authbench.stack.budget import Accounting, Group


def test_the_first_kind_counts_and_limits_in_two_hierarchies(tmp_path: Path) -> None:
    usage, quota = tmp_path / "cpuacct", tmp_path / "cpu"
    group = Accounting("cgroup-v1", usage, quota).group("stack", "replica", cpus=0.5)
    assert group.folders == (usage / "stack" / "replica", quota / "stack" / "replica")
    assert (group.folders[1] / "cpu.cfs_quota_us").read_text() == "50000"
    assert (group.folders[1] / "cpu.cfs_period_us").read_text() == "100000"
    (group.folders[0] / "cpuacct.usage").write_text("1234567\n")
    (group.folders[1] / "cpu.stat").write_text("nr_periods 4\nnr_throttled 2\nthrottled_time 99\n")
    assert (group.cpu_ns(), group.throttled_ns()) == (1_234_567, 99)
    assert [path.name for path in group.entrances] == ["cgroup.procs", "cgroup.procs"]


def test_without_a_budget_nothing_joins_the_limiting_hierarchy(tmp_path: Path) -> None:
    group = Accounting("cgroup-v1", tmp_path / "cpuacct", tmp_path / "cpu").group("stack", "replica")
    assert group.folders == (tmp_path / "cpuacct" / "stack" / "replica",)


def test_the_second_kind_does_both_in_one(tmp_path: Path) -> None:
    group = Accounting("cgroup-v2", tmp_path, tmp_path).group("stack", "replica", cpus=1.5)
    (folder,) = group.folders
    assert (folder / "cpu.max").read_text() == "150000 100000"
    assert (folder.parent / "cgroup.subtree_control").read_text() == "+cpu"
    (folder / "cpu.stat").write_text("usage_usec 12\nuser_usec 5\nthrottled_usec 7\n")
    assert (group.cpu_ns(), group.throttled_ns()) == (12_000, 7_000)


def test_without_cgroups_a_budget_is_refused_with_the_reason() -> None:
    accounting = Accounting("schedstat", why="nobody may write here")
    assert not accounting.can_limit
    assert accounting.group("stack", "replica") == Group("schedstat")
    assert accounting.parents("stack") == ()
    with pytest.raises(StackError, match="budget of 2 CPUs here: nobody may write here"):
        accounting.group("stack", "replica", cpus=2)


def test_a_group_without_folders_counts_nothing() -> None:
    group = Group()
    assert (group.cpu_ns(), group.throttled_ns(), group.pids(), group.entrances) == (None, 0, set(), ())
