"""`authbench micro` with the strategies' own stores, and what it leaves for other tools."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authbench.stack.replicas import ROOT

pytestmark = pytest.mark.slow
STRATEGIES = ("none", "session-db", "session-cookie", "drf-token")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("micro") / "out"
    asked = ("--strategies", ",".join(STRATEGIES), "--profile", "quick", "--launches", "1", "--out", str(out))
    done = authbench("micro", *asked, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "micro.json").read_text())
    return out


def authbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "authbench.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=300, check=False
    )


def test_every_group_and_subject_is_there(folder: Path) -> None:
    rows: list[dict[str, Any]] = json.loads((folder / "micro.json").read_text())
    found: dict[str, set[str]] = {}
    for row in rows:
        assert row["time"]["value"] > 0
        found.setdefault(row["group"], set()).add(row["subject"])
    assert {"floor", "PyJWT", "joserfc", "authlib", "python-jose", "oxyjwt", "signature alone"} <= found["verify HS256"]
    for group in ("handle public", "handle whoami"):
        assert found[group] == set(STRATEGIES)
    assert found["authenticate"] == set(STRATEGIES) - {"none"}
    assert found["session load"] == found["session save"] == {"session-db", "session-cookie"}
    assert {"key RS256", "base64", "JSON"} <= found.keys()


def test_pytest_benchmark_reads_every_file(folder: Path, tmp_path: Path) -> None:
    files = sorted(folder.glob("launch-01-*.json"))
    assert [path.name for path in files] == sorted(f"launch-01-{name}.json" for name in ("tokens", *STRATEGIES))
    command = [str(Path(sys.executable).with_name("pytest-benchmark")), "compare", *map(str, files)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "test_verify[PyJWT-HS256]" in done.stdout


def test_no_secret_stands_in_what_is_written(folder: Path) -> None:
    text = "".join(path.read_text() for path in folder.iterdir())
    for secret in ("BEGIN PRIVATE", "AUTHBENCH_JWT_KEY", "postgresql://", "redis://"):
        assert secret not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "fast"), "none of quick, standard, thorough"),
        (("--tokens-only", "--strategies", "none"), "give one of them"),
        (("--strategies", "starlette-jwt"), "of another framework"),
        (("--strategies", "nobody"), "nobody"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = authbench("micro", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
