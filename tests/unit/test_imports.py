"""The directions of imports that DESIGN.md draws, held by import-linter."""

import subprocess
import sys
from pathlib import Path

from authbench.stack.replicas import ROOT


def test_the_directions_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_a_wrong_direction_is_seen(tmp_path: Path) -> None:
    """The check can fail: a bench that imports Django's half breaks its contract."""
    for name, text in (("apps", ""), ("authbench", "import apps\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")
    contract = "[importlinter]\nroot_packages =\n    apps\n    authbench\n[importlinter:contract:one]\nname = one\n"
    contract += "type = forbidden\nsource_modules = authbench\nforbidden_modules = apps\n"
    (tmp_path / ".importlinter").write_text(contract, encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )
    assert done.returncode == 1
    assert "1 broken" in done.stdout


def test_asking_for_help_waits_for_no_statistics() -> None:
    """Options are read before anything heavy is loaded: a second at every command otherwise."""
    heavy = ("scipy", "statsmodels", "matplotlib", "locust", "django")
    told = f"import sys, authbench.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", told], check=True, capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.stdout == "[]\n"
