"""Governor and turbo, on made folders."""

from pathlib import Path

import pytest

from authbench.doctor import frequency
from tests.unit.doctor.folders import made


@pytest.mark.parametrize(
    ("modes", "state"),
    [(["performance", "performance"], "good"), (["performance", "powersave"], "fair"), (["schedutil"], "fair")],
)
def test_only_performance_on_all_cores_is_good(tmp_path: Path, modes: list[str], state: str) -> None:
    files = {f"cpu{n}/cpufreq/scaling_governor": mode + "\n" for n, mode in enumerate(modes)}
    assert frequency.governor(virtual=False, cpus=made(tmp_path, files)).state == state


@pytest.mark.parametrize(
    ("file", "text", "state"),
    [
        ("cpufreq/boost", "1", "fair"),
        ("cpufreq/boost", "0", "good"),
        ("intel_pstate/no_turbo", "0", "fair"),
        ("intel_pstate/no_turbo", "1", "good"),
    ],
)
def test_boost_is_read_either_way_round(tmp_path: Path, file: str, text: str, state: str) -> None:
    found = frequency.turbo(virtual=False, cpus=made(tmp_path, {file: text + "\n"}))
    assert (found.state, bool(found.advice)) == (state, state != "good")


@pytest.mark.parametrize("virtual", [True, False])
def test_what_is_not_shown_is_unknown_and_a_virtual_machine_is_named(tmp_path: Path, virtual: bool) -> None:
    for found in (frequency.governor(virtual, tmp_path), frequency.turbo(virtual, tmp_path)):
        assert found.state == "unknown"
        assert ("virtual machine" in found.found) is virtual
        assert "host speed" in found.advice
