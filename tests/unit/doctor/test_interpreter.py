"""The interpreter and address randomisation."""

from pathlib import Path

import pytest

from authbench.doctor import interpreter
from tests.unit.doctor.folders import made

RELEASE = {"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'"}


@pytest.mark.parametrize(
    ("built", "environment", "state", "said"),
    [
        (RELEASE, {}, "good", "a release build"),
        ({}, {}, "fair", "without --enable-optimizations"),
        ({**RELEASE, "Py_DEBUG": 1}, {}, "poor", "a debug build"),
        ({**RELEASE, "Py_GIL_DISABLED": 1}, {}, "poor", "without the GIL"),
        (RELEASE, {"PYTHONDEVMODE": "1"}, "poor", "PYTHONDEVMODE is set"),
    ],
)
def test_what_slows_the_interpreter_is_said(
    built: dict[str, object], environment: dict[str, str], state: str, said: str
) -> None:
    found = interpreter.python(built, environment, "3.12.1")
    assert (found.state, said in found.found) == (state, True), found
    assert found.found.startswith("CPython 3.12.1")


@pytest.mark.parametrize(
    ("level", "ask", "state"),
    [
        ("2", "", "good"),
        ("2", "raise SystemExit(1)", "fair"),
        ("1", "", "fair"),
        ("0", "", "fair"),
        ("x", "", "unknown"),
    ],
)
def test_randomisation_is_on_and_can_be_switched_off_for_one_process(
    tmp_path: Path, level: str, ask: str, state: str
) -> None:
    found = interpreter.randomisation(made(tmp_path, {"va": level + "\n"}) / "va", ask)
    assert (found.state, bool(found.advice)) == (state, state != "good")


def test_a_kernel_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    assert interpreter.randomisation(tmp_path / "va").state == "unknown"
