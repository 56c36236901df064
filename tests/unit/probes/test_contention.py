"""Whose time the stack's cores gave: from readings to a share."""

from types import SimpleNamespace

import pytest

from authbench.probes.contention import ContentionProbe, Reading, busy_ticks, share_of_others
from authbench.stack.budget import Group
from authbench.stack.processes import TICK_NS

S = 1_000_000_000
STAT = """\
cpu  300 20 60 900 5 7 9 11 0 0
cpu0 100 10 20 500 5 3 4 5 0 0
cpu1 200 10 40 400 0 4 5 6 0 0
intr 1 2 3
"""


def reading(at_s: float, all_s: float, ours_s: float, exact: bool = True) -> Reading:
    return Reading(int(at_s * S), int(all_s * S), int(ours_s * S), exact)


def test_what_is_not_ours_is_others() -> None:
    assert share_of_others(reading(0, 10, 4), reading(2, 13, 5.5), cores=1) == pytest.approx(0.75)
    assert share_of_others(reading(0, 10, 4), reading(2, 13, 5.5), cores=3) == pytest.approx(0.25)
    assert share_of_others(reading(0, 10, 4), reading(2, 11, 5.1), cores=1) == 0


def test_ticks_give_what_is_certain_only() -> None:
    def share(others_s: float, window_s: float = 1.0) -> float:
        before, after = reading(0, 0, 0, False), reading(window_s, others_s + 0.2, 0.2, False)
        return share_of_others(before, after, cores=1)

    assert share(0.1) == 0
    assert 0.2 < share(0.5) < 0.5
    assert share(10, 20) > share(0.5)  # a longer window is surer of the same half


def test_ticks_of_the_cores_without_idle_time_interrupts_and_steal() -> None:
    assert busy_ticks(STAT, [0]) == 130
    assert busy_ticks(STAT, [0, 1]) == 380
    with pytest.raises(ValueError, match="cpu2"):
        busy_ticks(STAT, [2])


def stack_of(group: Group, services: dict[str, int]) -> SimpleNamespace:
    return SimpleNamespace(cores=(0,), running=lambda name: SimpleNamespace(group=group), cpu_ns=lambda: dict(services))


def test_a_machine_that_tells_nothing_is_not_judged(tmp_path) -> None:
    probe = ContentionProbe(stack_of(Group(), {}), stat=tmp_path / "none")
    probe.before()
    assert probe.after() is None


def test_without_the_root_cgroup_in_sight_ticks_are_read(tmp_path) -> None:
    """As in a container: its own cgroup is not the machine's."""
    service = tmp_path / "authbench-x" / "nginx"
    service.mkdir(parents=True)
    for folder in (tmp_path, service.parent, service):
        (folder / "cpuacct.usage_percpu").write_text("5 5\n")
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    services = {"nginx": 0}
    probe = ContentionProbe(stack_of(Group("cgroup-v1", (service,)), services), stat=stat)
    probe.before()
    assert probe._before is not None
    assert not probe._before.exact
    assert probe._before.all_ns == 130 * TICK_NS
    (tmp_path / "release_agent").write_text("")
    probe.before()
    assert probe._before.exact
    assert (probe._before.all_ns, probe._before.ours_ns) == (5, 5)


def test_under_cgroup_v2_the_stacks_own_group_is_taken_off(tmp_path) -> None:
    service = tmp_path / "authbench-x" / "nginx"
    service.mkdir(parents=True)
    (service.parent / "cpu.stat").write_text("usage_usec 700\nuser_usec 1\n")
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    probe = ContentionProbe(stack_of(Group("cgroup-v2", (service,)), {"nginx": 5}), stat=stat)
    probe.before()
    assert probe._before is not None
    assert probe._before.ours_ns == 700_000
