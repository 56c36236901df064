"""What a user meets at the command line: one clear line and the right exit code, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from authbench.stack.replicas import ROOT


def authbench(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "authbench.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "compair"], "did you mean 'compare'"),
        (["run", "--profile", "quik"], "did you mean 'quick'"),
        (["run", "--strategies", "jwt-hs265"], "did you mean 'jwt-hs256'"),
        (["run", "--set", "replicas"], "factor=level,level"),
        (["run", "--set", "replicas=0"], "--set replicas: Input should be greater than or equal to 1"),
        (["run", "--set", "replica=2"], "did you mean 'replicas'"),
        (["run", "--backend", "cloud"], "embedded"),
        (["run", "--resume", "/nowhere"], "no manifest.json"),
        (["run", "--resume", "a", "--out", "b"], "give one of them"),
        (["run", "--seed", "x"], "--seed"),
        (["verify", "session-bd"], "did you mean 'session-db'"),
        (["report", "/nowhere"], "/nowhere"),
        (["load", "http://127.0.0.1:9", "--rate", "5", "--saturate", "5"], "one of them"),
        (["load", "http://192.0.2.1/", "--rate", "5"], "loopback only"),
        (["load", "http://127.0.0.1:9", "--rate", "5", "--arrivals", "never"], "--arrivals never"),
        (["load", "http://127.0.0.1:9", "--rate", "5", "--header", "nonsense"], "Name: value"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: list[str], said: str) -> None:
    done = authbench(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "command", ["run", "list", "verify", "report", "compare", "gate", "calibrate", "doctor", "up", "load"]
)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = authbench(command, "--help")
    assert done.returncode == 0
    assert f"authbench {command}" in done.stdout.split("Example:")[1]


def test_list_json_is_what_other_tools_build_on() -> None:
    listed = json.loads(authbench("list", "--json").stdout)
    by_name = {each["name"]: each for each in listed["strategies"]}
    assert by_name["session-cached-db"]["carrier"] == "cookie"
    assert by_name["session-cached-db"]["freshness"] == "row"
    assert set(by_name["session-cached-db"]["stores"]) == {"cache", "database"}
    assert by_name["jwt-hs256"]["stores"] == []
    assert by_name["jwt-hs256"]["needs"] == ["database"]
    compare = next(each for each in listed["scenarios"] if each["name"] == "compare")
    assert compare["cells"] == 10 * 3 * 2
    assert compare["estimated_seconds"] > 60
    assert compare["question"].endswith("?")
