"""Other load, pressure, load average, hypervisor and steal, on made folders."""

from pathlib import Path

import pytest

from authbench.doctor import host, load
from authbench.doctor.load import Snapshot, Ticks
from tests.unit.doctor.folders import made

STAT = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 0 50 800 10 0 5 35 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 5\n"


def process(pid: int, name: str, user: int, system: int) -> dict[str, str]:
    return {f"{pid}/stat": f"{pid} ({name}) S 1 1 1 0 -1 0 0 0 0 0 {user} {system} 0 0 20 0 1 0 9 0 0"}


def test_only_our_cores_are_counted(tmp_path: Path) -> None:
    stat = made(tmp_path, {"stat": STAT}) / "stat"
    assert load.read_ticks({0}, stat) == Ticks(busy=155, steal=35, total=1000)
    assert load.read_ticks({0, 1}, stat) == Ticks(busy=160, steal=36, total=1008)
    with pytest.raises(ValueError, match="no line"):
        load.read_ticks({7}, stat)


def test_a_snapshot_reads_names_with_any_sign_and_never_arguments(tmp_path: Path) -> None:
    files = {"stat": STAT, **process(7, "a) b (c", 30, 4), "8/stat": "broken", "8/cmdline": "--password=x"}
    taken = load.snapshot({0}, made(tmp_path, files))
    assert taken.processes == {7: ("a) b (c", 34)}
    assert taken.ticks is not None
    assert load.snapshot({0}, tmp_path / "nowhere").ticks is None


@pytest.mark.parametrize(("busy", "state"), [(2, "good"), (16, "fair"), (100, "poor")])
def test_others_are_graded_and_the_busiest_three_named(busy: int, state: str) -> None:
    second = 2.0 * load.TICKS_A_SECOND
    names = {n: (name, 0) for n, name in enumerate("abcd", start=10)}
    used = {10: ("a", 40), 11: ("b", 30), 12: ("c", 20), 13: ("d", 10), 99: ("own", 500), 14: ("late", 35)}
    first = Snapshot(0.0, Ticks(0, 0, 0), {**names, 99: ("own", 0)})
    found = load.others(first, Snapshot(2.0, Ticks(busy, 0, 200), used), own_pid=99)
    assert found.state == state
    assert f"a {40 / second:.0%} of a core, late {35 / second:.0%} of a core, b" in found.found
    assert not {"own", "c", "d"} & set(found.found.split())


def test_without_proc_stat_load_and_steal_are_unknown() -> None:
    empty = Snapshot(0.0, None, {})
    assert load.others(empty, empty, 1).state == "unknown"
    assert host.steal((empty, empty), (empty, empty)).state == "unknown"


@pytest.mark.parametrize(("one", "state"), [("0.10", "good"), ("1.50", "fair"), ("6.00", "poor"), ("x", "unknown")])
def test_the_load_average_is_graded_by_core(tmp_path: Path, one: str, state: str) -> None:
    file = made(tmp_path, {"loadavg": f"{one} 1.00 0.50 1/99 1234\n"}) / "loadavg"
    assert load.average(2, file).state == state


@pytest.mark.parametrize(
    ("ten", "sixty", "state"), [("0.00", "0.10", "good"), ("2.46", "1.09", "fair"), ("0.50", "14.0", "poor")]
)
def test_pressure_is_graded_by_its_worse_average(tmp_path: Path, ten: str, sixty: str, state: str) -> None:
    text = f"some avg10={ten} avg60={sixty} avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    assert load.pressure(made(tmp_path, {"cpu": text}) / "cpu").state == state


def test_a_kernel_without_pressure_is_unknown(tmp_path: Path) -> None:
    assert load.pressure(tmp_path / "cpu").state == "unknown"
    assert load.pressure(made(tmp_path, {"cpu": "nonsense"}) / "cpu").state == "unknown"


@pytest.mark.parametrize(
    ("flags", "state", "said"), [("fpu vme", "good", "none seen"), ("fpu hypervisor", "fair", "virtual machine (QEMU)")]
)
def test_a_hypervisor_is_known_by_the_processors_flags(tmp_path: Path, flags: str, state: str, said: str) -> None:
    folder = made(tmp_path, {"cpuinfo": f"processor : 0\nflags\t\t: {flags}\n", "vendor": "QEMU\n"})
    found = host.hypervisor(folder / "cpuinfo", folder / "vendor")
    assert (found.state, found.found) == (state, said)


def test_a_processor_that_tells_nothing_is_unknown(tmp_path: Path) -> None:
    assert host.hypervisor(tmp_path / "cpuinfo", tmp_path / "vendor").state == "unknown"
    assert not host.is_virtual(tmp_path / "cpuinfo")


@pytest.mark.parametrize(
    ("working", "boot", "state"), [(0, 0, "good"), (3, 0, "fair"), (8, 0, "poor"), (0, 900, "poor")]
)
def test_steal_is_graded_by_the_methods_limit(working: int, boot: int, state: str) -> None:
    def at(steal: int, total: int) -> Snapshot:
        return Snapshot(0.0, Ticks(0, boot + steal, 30_000 + total), {})

    found = host.steal((at(0, 0), at(0, 200)), (at(0, 200), at(working, 500)))
    assert found.state == state
    assert found.found.startswith(f"{working / 300:.2%} under our load, 0.00% before it")
