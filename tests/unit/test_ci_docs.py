"""What the documentation tells people to paste: workflows valid by their schemas, command lines that parse."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from authbench.cli import app
from authbench.stack.replicas import ROOT

CI = ROOT / "docs" / "ci.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# DESIGN.md promises them; one is held to its options as soon as the app knows it.
PROMISED = {"plan", "gate", "calibrate", "compare"}
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
EVERYWHERE = {"--help"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
CALL = re.compile(r"(?:^|(?<=[\s/(\"']))authbench[ \t]+([a-z][\w-]*)([^\n;&|>#)]*)", re.M)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def workflows() -> list[str]:
    return [text for text in blocks(CI, "yaml") if re.search(r"^jobs:", text, re.M)]


def pipelines() -> list[str]:
    return [text for text in blocks(CI, "yaml") if text not in workflows()]


def read(text: str) -> Any:
    return YAML(typ="safe").load(text)


def calls(text: str) -> Iterator[tuple[str, str]]:
    """(command, the rest of its line) of every authbench call in code."""
    fenced = [re.sub(r"\\\n\s*", " ", code) for _, code in FENCE.findall(text)]
    # YAML folds these lines into one; a comment is prose.
    fenced = [re.sub(r">-\n((?:\s+.*\n?)*?)(?=\s*[-\w]+:|\s*- |\Z)", _folded, code) for code in fenced]
    fenced = [re.sub(r"(?m)(?:^|\s)# .*$", "", code) for code in fenced]
    for code in (*fenced, *INLINE.findall(FENCE.sub("", text))):
        yield from CALL.findall(code)


def _folded(found: re.Match[str]) -> str:
    return "\n" + " ".join(found[1].split()) + "\n"


def all_calls() -> list[Any]:
    found = {(page.name, *call) for page in PAGES for call in calls(page.read_text(encoding="utf-8"))}
    return [pytest.param(*each, id=f"{each[0]}: authbench {each[1]} {each[2].strip()}") for each in sorted(found)]


def checked(schema: str, text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """By a schema that the package carries: nothing is fetched."""
    file = tmp_path / "pasted.yml"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    if schema == "vendor.gitlab-ci":
        command += ["--data-transform", "gitlab-ci"]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_the_page_holds_both_systems() -> None:
    assert len(workflows()) == 2
    assert len(pipelines()) == 1


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
@pytest.mark.parametrize("text", workflows())
def test_github_workflows_keep_to_their_schema(schema: str, text: str, tmp_path: Path) -> None:
    done = checked(schema, text, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", pipelines())
def test_gitlab_pipelines_keep_to_their_schema(text: str, tmp_path: Path) -> None:
    done = checked("vendor.gitlab-ci", text, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "text", "old", "new"),
    [
        ("vendor.github-workflows", workflows()[0], "runs-on:", "runs_on:"),
        ("custom.github-workflows-require-timeout", workflows()[0], "timeout-minutes:", "# "),
        ("vendor.gitlab-ci", pipelines()[0], "exit_codes:", "exit_code:"),
    ],
)
def test_a_mistake_is_seen(schema: str, text: str, old: str, new: str, tmp_path: Path) -> None:
    assert old in text
    assert checked(schema, text.replace(old, new, 1), tmp_path).returncode == 1


def test_every_action_is_pinned_by_commit_and_nothing_is_latest() -> None:
    used = [
        step["uses"]
        for text in workflows()
        for job in read(text)["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert len(used) > 8
    assert [each for each in used if not PINNED.fullmatch(each)] == []
    for text in blocks(CI, "yaml"):
        assert "latest" not in text
        assert all(re.search(r"# v\d+\.\d+\.\d+$", line) for line in text.splitlines() if "uses:" in line)


def test_workflows_have_least_rights_a_full_history_and_no_expression_in_a_script() -> None:
    for text in workflows():
        workflow = read(text)
        assert workflow["permissions"] == {"contents": "read"}
        assert "pull_request_target" not in workflow["on"]
        assert "concurrency" in workflow
        for job in workflow["jobs"].values():
            assert "permissions" not in job
            assert job["timeout-minutes"] <= 120
            checkout = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
            assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
            assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
    pipeline = read(pipelines()[0])
    assert pipeline["variables"]["GIT_DEPTH"] == "0"
    assert pipeline[".benchmark"]["resource_group"]
    assert pipeline["gate"]["allow_failure"] == {"exit_codes": [5]}
    assert pipeline["gate"]["artifacts"]["reports"]["junit"] == "gate/junit.xml"


def pasted(script: str, folder: Path, code: int, calibrated: bool, **environment: str) -> tuple[int, str, list[str]]:
    """(exit code, output, the gate's arguments) of a script, with an authbench that does nothing but exit."""
    stub = folder / "authbench"
    stub.write_text(
        f'#!/bin/sh\ntest "$1" = gate || exit 0\nprintf "%s\\n" "$@" > called\nexit {code}\n', encoding="utf-8"
    )
    stub.chmod(0o755)
    if calibrated:
        (folder / ".authbench").mkdir()
        (folder / ".authbench" / "calibration.json").touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin", **environment},
        timeout=20,
    )
    called = (folder / "called").read_text(encoding="utf-8").splitlines()
    assert ("--calibration" in called) is calibrated, called
    assert "" not in called
    return done.returncode, done.stdout, called


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize(
    ("code", "choice", "ends"),
    [
        (0, "notice", 0),
        (1, "notice", 1),
        (3, "notice", 3),
        (4, "warning", 4),
        (5, "notice", 0),
        (5, "warning", 0),
        (5, "fail", 5),
    ],
)
def test_githubs_step_passes_the_exit_code_on(
    tmp_path: Path, code: int, choice: str, ends: int, calibrated: bool
) -> None:
    steps = read(workflows()[0])["jobs"]["gate"]["steps"]
    script = next(step["run"] for step in steps if step.get("name") == "Gate")
    ended, said, called = pasted(script, tmp_path, code, calibrated, BASE="origin/a b", INCONCLUSIVE=choice)
    assert ended == ends
    assert called[:3] == ["gate", "--against", "origin/a b"]
    assert (f"::{choice} " in said) == (code == 5 and choice != "fail")


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("code", [0, 1, 5])
def test_gitlabs_job_ends_with_the_gates_own_exit_code(tmp_path: Path, code: int, calibrated: bool) -> None:
    script = "\n".join(read(pipelines()[0])["gate"]["script"])
    ended, _, called = pasted(script, tmp_path, code, calibrated, CI_MERGE_REQUEST_DIFF_BASE_SHA="0123abc")
    assert ended == code
    assert called[:3] == ["gate", "--against", "0123abc"]


@pytest.mark.parametrize(("page", "command", "rest"), all_calls())
def test_command_lines_exist(page: str, command: str, rest: str) -> None:
    if command not in COMMANDS and command in PROMISED:
        pytest.skip(f"{page}: authbench {command} is promised, not built yet")
    assert command in COMMANDS, f"{page}: authbench {command}: no such command; there are {sorted(COMMANDS)}"
    known = {name for parameter in COMMANDS[command].params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = re.findall(r"(?<![\w-])--[a-z][\w-]*", rest)
    assert set(options) <= known | EVERYWHERE, f"{page}: authbench {command}{rest}: it has {sorted(known)}"


def test_command_lines_are_found_wherever_they_stand() -> None:
    text = (
        "prose authbench nothing, `authbench run --seed 1` and `uv run authbench list`\n"
        "```sh\nflock l .venv/bin/authbench gate --against x \\\n  --out y | tee z\n# authbench comment --no\n```\n"
        "```yaml\n- run: authbench doctor --json && authbench verify\n- >-\n  authbench gate --a 1\n  --b 2\n"
        "x: authbench-ledger-${{ 1 }}\n```\n"
    )
    found = [(command, *re.findall(r"--\S+", rest)) for command, rest in calls(text)]
    assert found == [
        ("gate", "--against", "--out"), ("doctor", "--json"), ("verify",), ("gate", "--a", "--b"),
        ("run", "--seed"), ("list",),
    ]  # fmt: skip


def test_shell_recipes_are_shell(tmp_path: Path) -> None:
    for text in blocks(CI, "sh"):
        done = subprocess.run(["sh", "-n", "-c", text], check=False, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        shlex.split(text, comments=True)


def test_the_limits_are_ones_that_the_gate_reads(tmp_path: Path) -> None:
    limits = pytest.importorskip("authbench.gate.limits")
    from apps.contract.registry import strategies

    [text] = blocks(CI, "toml")
    assert tomllib.loads(text)["max_regression"] == "3%"
    file = tmp_path / "limits.toml"
    file.write_text(text, encoding="utf-8")
    given = re.findall(r"--limit (\S+=\S+?)[`,]", CI.read_text(encoding="utf-8"))
    found = limits.limits_from(file, "5%", given, strategies())
    assert found.of("jwt-hs256", "cpu_ms_per_request").most == 0.05
    assert found.of("none", "instructions_per_request").most == 0.02
    assert found.of("none", "statements_per_request").most == 0
