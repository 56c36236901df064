"""A package of somebody else's registers a strategy: installed beside authbench, it is listed, verified and counted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "session-db-sliding"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python that finds the example; the bench's own installation is left alone."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    source = tmp_path_factory.mktemp("source") / EXAMPLE.name
    source.mkdir()
    for file in EXAMPLE.iterdir():  # a build writes beside its source
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())
    subprocess.run([*pip, "--no-build-isolation", "--target", str(target), str(source)], check=True)
    return {**os.environ, "PYTHONPATH": str(target)}


def authbench(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "authbench.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_example_is_under_sixty_lines() -> None:
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in EXAMPLE.iterdir() if file.is_file()) < 60


def test_an_installed_package_s_strategy_is_listed(installed: dict[str, str]) -> None:
    done = authbench(installed, "list", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = [each for each in json.loads(done.stdout)["strategies"] if each["name"] == "session-db-sliding"]
    assert (found["carrier"], found["freshness"], found["stores"]) == ("cookie", "row", ["database"])


def test_an_installed_package_s_strategy_is_verified_with_its_counts(installed: dict[str, str]) -> None:
    done = authbench(installed, "verify", "session-db-sliding", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(done.stdout)["strategies"]
    assert found["passed"]
    assert found["counted"]["whoami"] == [3, 0, 0]  # session, user row, and the session written anew
