"""Environments on demand, with a uv that builds nothing: whole or not there, built once, one line an error."""

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from authbench import environments
from authbench.environments import SERVICES, interpreter_of, place_of, why_missing
from authbench.errors import StackError
from authbench.stack import locks

UV = """#!{python}
import os, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
with (folder / "asked").open("a") as asked:
    asked.write(" ".join(arguments) + "\\n")
if "venv" in arguments:
    (pathlib.Path(arguments[-1]) / "bin").mkdir(parents=True)
    (pathlib.Path(arguments[-1]) / "bin" / "python").touch()
else:
    {then}
"""


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTHBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "odd.lock").write_text("odd==1\n", encoding="utf-8")
    return tmp_path / "services"


Install = Callable[[str], Path]


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a uv whose `pip install` does as told; gives the file that it writes what it was asked to."""

    def install(then: str = "pass") -> Path:
        program = tmp_path / "uv"
        program.write_text(UV.format(python=sys.executable, folder=str(tmp_path), then=then), encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setattr(environments.uv, "find_uv_bin", lambda: str(program))
        return tmp_path / "asked"

    return install


def entries(services: Path) -> list[str]:
    folder = services.parent / "cache" / "authbench" / "environments"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_an_environment_is_built_once_from_the_lock_with_hashes(services: Path, uv: Install) -> None:
    asked, said = uv(), []
    assert "not built yet" in (why_missing("odd", services) or "")
    python = interpreter_of("odd", said.append, services)
    assert python.is_file()
    assert python == place_of("odd", services) / "bin" / "python"
    assert interpreter_of("odd", said.append, services) == python
    assert why_missing("odd", services) is None
    assert entries(services) == [place_of("odd", services).name]
    assert said == [f"building the environment odd in {place_of('odd', services)}"]
    venv, install = asked.read_text(encoding="utf-8").splitlines()
    assert f"--relocatable --python {sys.executable}" in venv
    for option in ("--require-hashes", "--requirements", "--build-constraints", "--compile-bytecode"):
        assert option in install


def test_another_lock_and_another_python_are_other_environments(
    services: Path, uv: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv()
    first = interpreter_of("odd", services=services)
    (services / "odd.lock").write_text("odd==2\n", encoding="utf-8")
    second = interpreter_of("odd", services=services)
    monkeypatch.setattr(environments.sys, "version", "3.99.0 (made up)")
    assert why_missing("odd", services) is not None
    assert len({first, second, interpreter_of("odd", services=services)}) == 3


def test_the_cache_is_the_users_own(services: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_of("odd", services).parent == services.parent / "cache" / "authbench" / "environments"
    monkeypatch.delenv("AUTHBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert place_of("odd", services).is_relative_to("/xdg/authbench/environments")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert place_of("odd", services).is_relative_to("/home/somebody/.cache/authbench")


def test_a_build_that_fails_leaves_nothing_and_says_one_line(services: Path, uv: Install) -> None:
    uv(r"sys.exit('error: Request failed\ncause: Failed to fetch\ncause: Connection refused')")
    with pytest.raises(StackError) as caught:
        interpreter_of("odd", services=services)
    assert str(caught.value).startswith(
        "environment odd: uv pip: exit code 1: Request failed (Connection refused); it needs"
    )
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.log_tail.splitlines()[1] == "cause: Failed to fetch"
    assert entries(services) == []
    uv()
    assert interpreter_of("odd", services=services).is_file()


def test_what_a_killed_build_left_is_never_taken_for_whole(services: Path, uv: Install) -> None:
    uv()
    place = place_of("odd", services)
    left = place.with_name(f"{place.name}.building-killed") / "environment" / "bin"
    left.mkdir(parents=True)
    assert why_missing("odd", services) is not None
    assert interpreter_of("odd", services=services).is_file()
    assert entries(services) == [place.name]


def test_an_environment_whose_python_is_gone_is_built_anew(services: Path, uv: Install) -> None:
    uv()
    python = interpreter_of("odd", services=services)
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert why_missing("odd", services) is not None
    assert interpreter_of("odd", services=services).is_file()


def test_a_build_has_an_end(services: Path, uv: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    uv("import time; time.sleep(60)")
    monkeypatch.setattr(environments, "BUILT_WITHIN_S", 0.5)
    with pytest.raises(StackError, match=r"environment odd: uv \w+: not done within"):
        interpreter_of("odd", services=services)
    assert entries(services) == []


def test_two_runs_at_once_build_it_once(services: Path, uv: Install, tmp_path: Path) -> None:
    asked = uv(f"import time\n    while not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.01)")
    found: list[Path] = []
    waiting = threading.Event()

    def say(line: str) -> None:
        if line.startswith("waiting for another run"):
            waiting.set()

    runs = [
        threading.Thread(target=lambda: found.append(interpreter_of("odd", say, services)), daemon=True)
        for _ in range(2)
    ]
    for run in runs:
        run.start()
    assert waiting.wait(20)
    (tmp_path / "go").touch()
    for run in runs:
        run.join(20)
    assert len(found) == 2
    assert len(set(found)) == 1
    assert len(asked.read_text(encoding="utf-8").splitlines()) == 2


def test_waiting_for_another_run_has_an_end(services: Path, uv: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    uv()
    monkeypatch.setattr(environments, "BUILT_WITHIN_S", 0.0)
    place = place_of("odd", services)
    place.parent.mkdir(parents=True)
    lock = place.with_name(f"{place.name}.lock")
    held = locks.hold(lock)
    assert held is not None
    with pytest.raises(StackError, match="another run has been building it"):
        interpreter_of("odd", services=services)
    locks.release(lock, held)


def test_what_is_missing_is_one_line(services: Path, uv: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    uv()
    assert "nothing.lock: No such file" in (why_missing("nothing", services) or "")
    with pytest.raises(StackError, match=r"nothing\.lock"):
        interpreter_of("nothing", services=services)
    monkeypatch.setattr(environments.uv, "find_uv_bin", lambda: "/nowhere/uv")
    with pytest.raises(StackError, match="cannot run uv"):
        interpreter_of("odd", services=services)
    monkeypatch.setenv("AUTHBENCH_CACHE", str(services / "odd.lock"))
    with pytest.raises(StackError, match=r"Not a directory|File exists"):
        interpreter_of("odd", services=services)


def versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_what_both_environments_have_is_of_one_version() -> None:
    """The version is part of the result: PyJWT 2.14 takes more than twice the time of 2.13."""
    own, others = versions(SERVICES.parents[1] / "requirements.lock"), versions(SERVICES / "apistar.lock")
    assert others["apistar"] == "0.5.42"
    assert others["werkzeug"] < "2.1"
    for name in ("gunicorn", "psycopg", "psycopg-binary", "pyjwt", "time-machine"):
        assert others[name] == own[name], name


def test_no_lock_names_an_index() -> None:
    for lock in SERVICES.glob("*.lock"):
        assert "://" not in lock.read_text(encoding="utf-8")
