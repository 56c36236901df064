"""The whole examination, with a short sample: every topic once, the A/A handed in, a fault named."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from authbench.doctor import examination, programs
from authbench.doctor.examination import Examination, examine
from authbench.doctor.finding import Finding
from authbench.errors import StackError
from authbench.progress import Silent

TOPICS = {
    "cores", "core siblings", "CPU quota", "container", "hypervisor", "memory", "swap", "huge pages", "governor",
    "turbo", "other load", "CPU pressure", "load average", "clock source", "clock reading", "timer", "steal",
    "host speed", "cores at once", "PostgreSQL", "Valkey", "nginx", "account", "OpenBao",
    "docker", "valgrind",
    "CPU accounting", "CPU budgets", "open files", "ports", "results folder", "temporary folder", "shared memory",
    "Python", "address randomisation", "noise",
}  # fmt: skip


def short(folder: Path, noise: Callable[[float], Sequence[Finding]] | None = None) -> Examination:
    return examine(Silent(), folder, noise, idle_s=0.05, work_s=0.3, pairs=0)


def test_every_topic_is_there_once_and_says_what_it_means(tmp_path: Path) -> None:
    examined = short(tmp_path)
    assert sorted(each.topic for each in examined.findings) == sorted(TOPICS)
    for each in examined.findings:
        assert each.found, each
        assert each.means, each
        assert "\n" not in each.found + each.means + each.advice
        assert bool(each.advice) == (each.state != "good"), each
    assert examined.fault is None


def test_the_a_a_is_asked_for_ten_seconds_and_its_findings_come_last(tmp_path: Path) -> None:
    asked: list[float] = []

    def noise(seconds: float) -> Sequence[Finding]:
        asked.append(seconds)
        return [Finding("noise", "good", "1.0 %", "small"), Finding("launches", "good", "1.5 %", "small")]

    findings = short(tmp_path, noise).findings
    assert asked == [10.0]
    assert [each.topic for each in findings[-2:]] == ["noise", "launches"]


def test_an_a_a_that_fails_is_unknown_with_why(tmp_path: Path) -> None:
    def noise(seconds: float) -> Sequence[Finding]:
        raise StackError("nginx: did not come up within 10 s")

    last = short(tmp_path, noise).findings[-1]
    assert (last.topic, last.state) == ("noise", "unknown")
    assert "did not come up" in last.found


def test_a_missing_program_is_a_fault_and_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "embedded", lambda: [Finding("nginx", "poor", "no nginx found", "no", "install")])
    examined = short(tmp_path, lambda seconds: pytest.fail("the stack was started"))
    assert examined.fault == "nginx: no nginx found"
    assert examined.findings[-1].state == "unknown"


def test_work_that_cannot_be_started_leaves_the_rest_standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(examination.speed, "measure", refused)
    states = {each.topic: each.state for each in short(tmp_path).findings}
    assert states["host speed"] == states["cores at once"] == "unknown"
    assert states["nginx"] == "good"
