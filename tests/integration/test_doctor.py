"""`authbench doctor` on this machine as it is: the shape of its answer, as root and as somebody else."""

import contextlib
import json
import os
import pwd
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from authbench.stack.replicas import ROOT

pytestmark = pytest.mark.slow
STATES = {"good", "fair", "poor", "unknown"}


def doctor(
    *arguments: str, cwd: Path = ROOT, python: str = sys.executable, **more: Any
) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "authbench.cli", "doctor", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=cwd, **more)


def shaped(said: str) -> dict[str, dict[str, str]]:
    """Topic -> finding, with the shape checked."""
    answer = json.loads(said)
    assert set(answer) == {"findings", "machine"}
    assert answer["machine"]["cores"] == len(os.sched_getaffinity(0))
    for each in answer["findings"]:
        assert set(each) == {"topic", "state", "found", "means", "advice"}
        assert each["state"] in STATES
        assert bool(each["advice"]) == (each["state"] != "good"), each
    found = {each["topic"]: each for each in answer["findings"]}
    assert len(found) == len(answer["findings"]) > 30
    return found


def test_its_json_holds_every_finding() -> None:
    done = doctor("--no-noise", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = shaped(done.stdout)
    for part in ("PostgreSQL", "Valkey", "nginx", "account", "ports"):
        assert found[part]["state"] != "poor", found[part]
    assert "slowest/fastest" in found["host speed"]["found"]
    assert found["noise"]["state"] == "unknown"


def test_people_get_a_table_and_what_to_do(tmp_path: Path) -> None:
    done = doctor("--no-noise", cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert "host speed" in done.stdout
    assert "What to do" in done.stdout  # `noise` at least was left out
    assert "measuring how steady the cores are" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_exit_4_where_a_part_of_the_embedded_backend_is_missing() -> None:
    done = doctor("--no-noise", "--json", env={**os.environ, "AUTHBENCH_NGINX": "/nowhere/nginx"})
    assert done.returncode == 4
    assert shaped(done.stdout)["nginx"]["state"] == "poor"
    assert "the embedded backend cannot run here: nginx: AUTHBENCH_NGINX=/nowhere/nginx" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_somebody_else_gets_an_answer_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    nobody = pwd.getpwnam("nobody")
    as_nobody: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    libraries = sysconfig.get_path("purelib")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT), libraries])}
    python = reachable(as_nobody, environment)
    if python is None:
        pytest.skip("no interpreter of this version lies where nobody may pass")
    done = doctor("--no-noise", "--json", python=python, cwd=Path("/"), env=environment, **as_nobody)
    assert done.returncode == 0, done.stderr
    found = shaped(done.stdout)
    assert f"uid {nobody.pw_uid}" in found["account"]["found"]
    assert found["results folder"]["state"] == "poor"  # / is not nobody's to write


def reachable(as_whom: dict[str, Any], environment: dict[str, str]) -> str | None:
    """An interpreter of our version that this user can start, with our libraries: a virtualenv's may lie in /root."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        with contextlib.suppress(OSError):
            asked = [python, "-c", "import authbench, psutil, pydantic, scipy"]
            if subprocess.run(asked, check=False, cwd="/", env=environment, **as_whom).returncode == 0:
                return python
    return None
