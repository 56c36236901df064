"""A source tree of its own, in which a defect may be planted."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.mutant import Edit

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("apps", "authbench", "loadtests", "reports", "scenarios", "deploy")
FILES = ("pyproject.toml", "requirements.lock")
SOMEBODY = ("-c", "user.name=mutants", "-c", "user.email=mutants@localhost", "-c", "core.hooksPath=/dev/null")


class NotPlantedError(Exception):
    """A mutant's text does not stand in the source exactly once."""


@contextmanager
def copied(root: Path = ROOT) -> Iterator[Path]:
    """A copy of the source as it stands, committed to a repository of its own; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL's account may pass through
        copy = Path(name) / "tree"
        for folder in FOLDERS:
            if (root / folder).is_dir():
                shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in FILES:
            shutil.copyfile(root / file, copy / file)
        (copy / ".gitignore").write_text("__pycache__/\nout/\n*.jsonl\n", encoding="utf-8")
        for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "as it stands")):
            subprocess.run(["git", "-C", str(copy), *SOMEBODY, *arguments], check=True, capture_output=True)
        yield copy


def plant(root: Path, edits: tuple[Edit, ...]) -> None:
    """Makes the changes. Raises NotPlantedError, before anything is changed, where a text is not there exactly once."""
    changed: dict[Path, str] = {}
    for edit in edits:
        path = root / edit.file
        text = changed.get(path) or (path.read_text(encoding="utf-8") if path.is_file() else "")
        if (found := text.count(edit.old)) != 1:
            raise NotPlantedError(f"{edit.file}: {edit.old.strip().splitlines()[0]!r} stands there {found} times")
        changed[path] = text.replace(edit.old, edit.new)
    for path, text in changed.items():
        compile(text, str(path), "exec")
        path.write_text(text, encoding="utf-8")


def digest(root: Path = ROOT) -> str:
    """What tells one source from another: of everything that is measured and measures, by its content."""
    told = hashlib.sha256()
    for folder in ("apps", "authbench", "loadtests"):
        for path in sorted((root / folder).rglob("*.py")):
            told.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return told.hexdigest()[:12]
